// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* What the device tells of itself: USB 2.0, 9.6, and "Class Definitions for Communications Devices" 1.2,
 * chapter 5. */
#ifndef EB_USB_DESCRIPTORS_H
#define EB_USB_DESCRIPTORS_H

#include "eb_usb_cdc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EB_USB_INTERFACES 2u
#define EB_USB_INTERFACE_CONTROL 0u
#define EB_USB_INTERFACE_DATA 1u

/* Descriptor of a type and a number; returns its length, 0 if there is none. It may be in `composed`, of
 * EB_USB_COMPOSED_BYTES. */
size_t eb_usb_descriptor(const eb_usb_identity *identity, unsigned type, unsigned number,
                         uint8_t *composed, const uint8_t **bytes);

#ifdef __cplusplus
}
#endif

#endif
