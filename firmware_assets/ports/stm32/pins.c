// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Output pins. */
#include "eb_board.h"
#include "peripherals.h"
#include "stm32.h"

static const uint8_t pins[EB_PINS_COUNT] = EB_PINS;

void port_pins_start(void)
{
    for (uint32_t i = 0; i < EB_PINS_COUNT; i++) {
        stm32_set_pin(pins[i], STM32_MODE_OUTPUT, 0, false);
    }
    port_pins_write(0); /* as after reset */
}

void port_pins_write(uint32_t levels)
{
    for (uint32_t i = 0; i < EB_PINS_COUNT; i++) {
        stm32_write_pin(pins[i], levels & 1u << i);
    }
}
