// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* What the test does with the converter. */
#ifndef EB_FAKE_ADC_H
#define EB_FAKE_ADC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Starts the source, at a time; so many frames arrive now, or while the source looks at their number
 * next; a conversion is lost, and the next start is at a time. */
void fake_start(uint32_t micros);
void fake_convert(uint32_t count);
void fake_convert_during(uint32_t count);
void fake_fail(uint32_t micros);

#ifdef __cplusplus
}
#endif

#endif
