// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Output pins by the SIO. */
#include "peripherals.h"
#include "rp2.h"

static const uint8_t pins[EB_PINS_COUNT] = EB_PINS;

void port_pins_start(void)
{
    for (uint32_t i = 0; i < EB_PINS_COUNT; i++) {
        SIO_OUT_CLEAR = 1u << pins[i];
        SIO_ENABLE_SET = 1u << pins[i];
        PAD(pins[i]) = PAD_PLAIN | PAD_INPUT;
        GPIO_CTRL(pins[i]) = GPIO_CTRL_SIO;
    }
}

void port_pins_write(uint32_t levels)
{
    uint32_t high = 0, low = 0;
    for (uint32_t i = 0; i < EB_PINS_COUNT; i++) {
        if (levels & 1u << i) {
            high |= 1u << pins[i];
        } else {
            low |= 1u << pins[i];
        }
    }
    const uint32_t before = cortex_m_lock();
    SIO_OUT_CLEAR = low;
    SIO_OUT_SET = high;
    cortex_m_unlock(before);
}
