// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_ads1298.h"

#define STATUS_BYTES 3u
#define CODE_BYTES 3u
#define CHIP_BYTES (STATUS_BYTES + CODE_BYTES * EB_ADS1298_CHANNELS)
#define STATUS_MARK 0xCu /* bits 23 to 20: 9.4 Data retrieval */

/* CONFIG1, 9.6.1.2. */
#define CONFIG1_HIGH_RESOLUTION (1u << 7) /* ADS1298; low power otherwise */
#define CONFIG1_NO_CHAIN (1u << 6)        /* DAISY_EN is inverted: 0 is the chain */
#define CONFIG1_ADS1299 0x90u             /* bits 7, 4 and 3 are 1, 1 and 0 */
#define SLOWEST_HZ 250u
#define SLOWEST_CODE 6u

/* CONFIG3, 9.6.1.4: the internal reference, and the amplifier of the right leg or of the bias with half the
 * supply at its input and no channel: its output holds the body within the range of the inputs. */
#define CONFIG3_REFERENCE (1u << 7)
#define CONFIG3_ONE (1u << 6)
#define CONFIG3_4_VOLT (1u << 5) /* always 1 on the ADS1299, whose reference has 4.5 V */
#define CONFIG3_HALF_SUPPLY (1u << 3)
#define CONFIG3_BIAS_ON (1u << 2)
#define CONFIG3_BIAS_STATUS (1u << 0) /* read only */

/* LOFF, 9.6.1.5: 6 nA, thresholds of 95 % and 5 %. */
#define LOFF_DC_ADS1298 3u
#define LOFF_DC_ADS1299 0u
#define CONFIG4_COMPARATORS_ON (1u << 1) /* PD_LOFF_COMP is inverted: 9.6.1.17 */

/* CHnSET, 9.6.1.6. */
#define CHANNEL_GAIN_SHIFT 4u
#define CHANNEL_OFF 0x81u /* powered down, its inputs shorted */

#define ID_MASK_ADS1298 0xFFu
#define ID_ADS1298 0x92u
#define ID_MASK_ADS1299 0x1Fu /* without the revision */
#define ID_ADS1299 0x1Eu

static bool rate_code(const eb_ads1298_settings *settings, uint8_t *config1)
{
    /* DR[2:0]: each step down doubles the rate. The ADS1298 has 500 Hz at code 6 with high
     * resolution, and 250 Hz with low power. */
    uint32_t code = SLOWEST_CODE;
    uint32_t rate = SLOWEST_HZ;
    uint8_t mode = CONFIG1_ADS1299;
    if (!settings->is_ads1299) {
        const bool slowest = settings->rate_hz == SLOWEST_HZ;
        mode = slowest ? 0u : CONFIG1_HIGH_RESOLUTION;
        rate = slowest ? SLOWEST_HZ : 2u * SLOWEST_HZ;
    }
    while (rate != settings->rate_hz) {
        if (code == 0u) {
            return false;
        }
        code--;
        rate *= 2u;
    }
    *config1 = (uint8_t)(mode | (settings->chips == 1u ? CONFIG1_NO_CHAIN : 0u) | code);
    return true;
}

static bool gain_code(const eb_ads1298_settings *settings, uint8_t *code)
{
    static const uint8_t ads1298[] = {6, 1, 2, 3, 4, 8, 12};
    static const uint8_t ads1299[] = {1, 2, 4, 6, 8, 12, 24};
    const uint8_t *gains = settings->is_ads1299 ? ads1299 : ads1298;
    for (uint8_t i = 0; i < sizeof ads1298; i++) {
        if (gains[i] == settings->gain) {
            *code = i;
            return true;
        }
    }
    return false;
}

bool eb_ads1298_registers(const eb_ads1298_settings *settings, uint8_t values[EB_ADS1298_REGISTERS])
{
    for (uint32_t i = 0; i < EB_ADS1298_REGISTERS; i++) {
        values[i] = 0;
    }
    uint8_t gain = 0;
    if (settings->chips < 1u || settings->chips > EB_ADS1298_MOST_CHIPS ||
        settings->channels < 1u || settings->channels > settings->chips * EB_ADS1298_CHANNELS ||
        (settings->is_ads1299 && settings->reference_4_volt) ||
        !rate_code(settings, &values[EB_ADS1298_CONFIG1]) || !gain_code(settings, &gain)) {
        return false;
    }
    values[EB_ADS1298_CONFIG3] =
        CONFIG3_REFERENCE | CONFIG3_ONE | CONFIG3_HALF_SUPPLY | CONFIG3_BIAS_ON |
        (settings->is_ads1299 || settings->reference_4_volt ? CONFIG3_4_VOLT : 0u);
    const uint32_t used =
        settings->channels < EB_ADS1298_CHANNELS ? settings->channels : EB_ADS1298_CHANNELS;
    for (uint32_t c = 0; c < EB_ADS1298_CHANNELS; c++) {
        values[EB_ADS1298_CH1SET + c] =
            c < used ? (uint8_t)(gain << CHANNEL_GAIN_SHIFT) : CHANNEL_OFF;
    }
    if (settings->lead_off) {
        const uint8_t mask = (uint8_t)((1u << used) - 1u);
        values[EB_ADS1298_LOFF] = settings->is_ads1299 ? LOFF_DC_ADS1299 : LOFF_DC_ADS1298;
        values[EB_ADS1298_LOFF_SENSP] = mask;
        values[EB_ADS1298_LOFF_SENSN] = mask;
        values[EB_ADS1298_CONFIG4] = CONFIG4_COMPARATORS_ON;
    }
    return true;
}

bool eb_ads1298_register_holds(uint32_t address, uint8_t written, uint8_t read)
{
    const uint8_t reports = address == EB_ADS1298_CONFIG3 ? CONFIG3_BIAS_STATUS : 0u;
    return ((written ^ read) & (uint8_t)~reports) == 0;
}

bool eb_ads1298_identified(bool is_ads1299, uint8_t id)
{
    return is_ads1299 ? (id & ID_MASK_ADS1299) == ID_ADS1299 : (id & ID_MASK_ADS1298) == ID_ADS1298;
}

size_t eb_ads1298_frame_bytes(uint32_t chips)
{
    /* One more clock between two converters: 9.5 Daisy-chain mode. */
    return (8u * CHIP_BYTES * chips + (chips - 1u) + 7u) / 8u;
}

bool eb_ads1298_parse(const eb_ads1298_settings *settings, const uint8_t *frame, int32_t *codes,
                      uint32_t *leads_off)
{
    uint32_t off = 0;
    for (uint32_t chip = 0; chip < settings->chips; chip++) {
        uint8_t shifted[CHIP_BYTES];
        const uint8_t *bytes = frame + CHIP_BYTES * chip;
        if (chip) { /* the second one starts one bit into its first byte */
            for (uint32_t i = 0; i < CHIP_BYTES; i++) {
                shifted[i] = (uint8_t)(bytes[i] << 1 | bytes[i + 1u] >> 7);
            }
            bytes = shifted;
        }
        const uint32_t status =
            (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2];
        if (status >> 20 != STATUS_MARK) {
            return false;
        }
        const uint32_t first = EB_ADS1298_CHANNELS * chip;
        off |= ((status >> 12 | status >> 4) & 0xFFu) << first;
        for (uint32_t c = first; c < settings->channels && c < first + EB_ADS1298_CHANNELS; c++) {
            const uint8_t *code = bytes + STATUS_BYTES + CODE_BYTES * (c - first);
            /* 24 bits of two's complement, by the top of 32 */
            const uint32_t top =
                (uint32_t)code[0] << 24 | (uint32_t)code[1] << 16 | (uint32_t)code[2] << 8;
            codes[c] = (int32_t)top / 256;
        }
    }
    *leads_off = settings->lead_off ? off & ((1u << settings->channels) - 1u) : 0u;
    return true;
}
