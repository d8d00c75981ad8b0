// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Registers and data of TI's converters ADS1298 and ADS1299, as pure functions: no hardware, no state.
 *
 * Sources: ADS1298, SBAS459K (chapters: 7.6 Timing, 9.4 Functional modes, 9.5 Programming, 9.6 Register
 * maps, 11.1 Power-up sequencing); ADS1299, SBAS499C (the same chapters).
 */
#ifndef EB_ADS1298_H
#define EB_ADS1298_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EB_ADS1298_CHANNELS 8u   /* of one converter */
#define EB_ADS1298_MOST_CHIPS 2u /* in a daisy chain */

/* Commands: 9.5.2 SPI command definitions. */
#define EB_ADS1298_RESET 0x06u
#define EB_ADS1298_START 0x08u
#define EB_ADS1298_STOP 0x0Au
#define EB_ADS1298_RDATAC 0x10u
#define EB_ADS1298_SDATAC 0x11u
#define EB_ADS1298_RREG 0x20u /* | first address; then the number of registers - 1 */
#define EB_ADS1298_WREG 0x40u

/* Addresses: 9.6.1. */
#define EB_ADS1298_ID 0x00u
#define EB_ADS1298_CONFIG1 0x01u
#define EB_ADS1298_CONFIG3 0x03u
#define EB_ADS1298_LOFF 0x04u
#define EB_ADS1298_CH1SET 0x05u
#define EB_ADS1298_LOFF_SENSP 0x0Fu
#define EB_ADS1298_LOFF_SENSN 0x10u
#define EB_ADS1298_LOFF_FLIP 0x11u
#define EB_ADS1298_CONFIG4 0x17u
#define EB_ADS1298_REGISTERS 0x18u /* up to CONFIG4; WCT1 and WCT2 keep their reset values */

/* Waits, from 7.6 and 11.1, with the slowest internal oscillator: t_CLK = 514 ns; in microseconds, and
 * one more, as a count of port_micros may begin at the end of a microsecond. */
#define EB_ADS1298_DECODE_US 4u         /* t_SDECODE, t_SCCS: 4 t_CLK */
#define EB_ADS1298_RESET_US 11u         /* after RESET: 18 t_CLK */
#define EB_ADS1298_POWER_US 140000u     /* t_POR: 2^18 t_CLK after the supplies are up */
#define EB_ADS1298_REFERENCE_US 150000u /* until the internal reference is stable: 7.5 */

typedef struct {
    bool is_ads1299;
    uint8_t chips;         /* 1, or 2 in a daisy chain with the same settings */
    uint8_t channels;      /* in use, from the first one of the first converter on */
    uint8_t gain;          /* of the amplifiers; ADS1298: 1, 2, 3, 4, 6, 8, 12; ADS1299: 1 to 24 */
    bool reference_4_volt; /* ADS1298: 4 V instead of 2.4 V, needs a 5 V analog supply */
    bool lead_off;         /* currents and comparators for electrodes that are off */
    uint32_t rate_hz;      /* 250 x 2^k; ADS1298: up to 32,000; ADS1299: up to 16,000 */
} eb_ads1298_settings;

/* Values of the registers that are written: CONFIG1, CONFIG3 to LOFF_FLIP, and CONFIG4; the others are
 * 0. The converters of a chain share DIN and get the same ones. False if a converter can not do it. */
bool eb_ads1298_registers(const eb_ads1298_settings *settings,
                          uint8_t values[EB_ADS1298_REGISTERS]);

/* Whether a read value is what was written: bits that report instead are left out. */
bool eb_ads1298_register_holds(uint32_t address, uint8_t written, uint8_t read);

/* Whether the ID register is that of the converter with eight channels. */
bool eb_ads1298_identified(bool is_ads1299, uint8_t id);

/* Bytes of a sample frame: 27 of one converter; 55 of two, with the bit between their data. */
size_t eb_ads1298_frame_bytes(uint32_t chips);

/* Takes a sample frame apart: codes of settings->channels channels, and the electrodes that are off, bit c
 * for either one of channel c. False if the status word of a converter lacks its mark 1100. */
bool eb_ads1298_parse(const eb_ads1298_settings *settings, const uint8_t *frame, int32_t *codes,
                      uint32_t *leads_off);

#ifdef __cplusplus
}
#endif

#endif
