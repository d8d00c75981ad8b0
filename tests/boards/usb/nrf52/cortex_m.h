// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Registers of the nRF52840's USBD, simulated by chip.cpp: stands in for ports/cortex_m/cortex_m.h. */
#ifndef EB_CORTEX_M_H
#define EB_CORTEX_M_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uint32_t cortex_m_lock(void);
void cortex_m_unlock(uint32_t before);
void cortex_m_barrier(void);
void cortex_m_enable_irq(uint32_t irq);
void port_usb_irq(void);

uint32_t chip_read(uint32_t address);
void chip_write(uint32_t address, uint32_t value);

#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
struct chip_register {
    uint32_t address;
    operator uint32_t() const
    {
        return chip_read(address);
    }
    chip_register &operator=(uint32_t value)
    {
        chip_write(address, value);
        return *this;
    }
    chip_register &operator=(const chip_register &other)
    {
        return *this = (uint32_t)other;
    }
};
#define REG32(address) (chip_register{(uint32_t)(address)})
#endif

#endif
