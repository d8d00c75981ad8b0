// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Output pins by the SIO: RP2040 datasheet, chapters SIO and GPIO (2.3.1 and 2.19); RP2350 datasheet,
 * 3.1 and 9. */
#include "peripherals.h"
#include "rp2.h"

#define SIO 0xD0000000u
#if EB_RP2350
#define SIO_OUT_SET REG32(SIO + 0x18u)
#define SIO_OUT_CLEAR REG32(SIO + 0x20u)
#define SIO_ENABLE_SET REG32(SIO + 0x38u)
#else
#define SIO_OUT_SET REG32(SIO + 0x14u)
#define SIO_OUT_CLEAR REG32(SIO + 0x18u)
#define SIO_ENABLE_SET REG32(SIO + 0x24u)
#endif

#define GPIO_CTRL_SIO 5u

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
