// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Output pins by GPIO: nRF52840 PS v1.7, chapter GPIO. Ports are 0x300 apart. */
#include "cortex_m.h"
#include "eb_board.h"
#include "peripherals.h"

#define GPIO(pin, offset) REG32(0x50000000u + 0x300u * ((pin) / 32u) + (offset))
#define GPIO_OUTSET(pin) GPIO(pin, 0x508u)
#define GPIO_OUTCLR(pin) GPIO(pin, 0x50Cu)
#define GPIO_DIRSET(pin) GPIO(pin, 0x518u)

static const uint8_t pins[EB_PINS_COUNT] = EB_PINS;

void port_pins_start(void)
{
    port_pins_write(0);
    for (uint32_t i = 0; i < EB_PINS_COUNT; i++) {
        GPIO_DIRSET(pins[i]) = 1u << (pins[i] % 32u);
    }
}

void port_pins_write(uint32_t levels)
{
    for (uint32_t i = 0; i < EB_PINS_COUNT; i++) {
        const uint32_t bit = 1u << (pins[i] % 32u);
        if (levels & 1u << i) {
            GPIO_OUTSET(pins[i]) = bit;
        } else {
            GPIO_OUTCLR(pins[i]) = bit;
        }
    }
}
