// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_usb_descriptors.h"

#include <string.h>

#define DESCRIPTOR_DEVICE 1u
#define DESCRIPTOR_CONFIGURATION 2u
#define DESCRIPTOR_STRING 3u
#define DESCRIPTOR_INTERFACE 4u
#define DESCRIPTOR_ENDPOINT 5u
#define DESCRIPTOR_ASSOCIATION 11u
#define DESCRIPTOR_CLASS_INTERFACE 0x24u

#define STRING_MANUFACTURER 1u
#define STRING_PRODUCT 2u
#define STRING_SERIAL 3u

#define DEVICE_BYTES 18u
#define CONFIGURATION_BYTES 75u

#define LOW(value) ((value) & 0xFFu)
#define HIGH(value) ((value) >> 8 & 0xFFu)

// clang-format off
static const uint8_t configuration[CONFIGURATION_BYTES] = {
    /* Bus-powered, at most 250 mA. */
    9, DESCRIPTOR_CONFIGURATION, LOW(CONFIGURATION_BYTES), HIGH(CONFIGURATION_BYTES), EB_USB_INTERFACES,
        1, 0, 0x80, 125,
    /* Both interfaces are one function: CDC, abstract control model. */
    8, DESCRIPTOR_ASSOCIATION, EB_USB_INTERFACE_CONTROL, EB_USB_INTERFACES, 2, 2, 0, 0,
    9, DESCRIPTOR_INTERFACE, EB_USB_INTERFACE_CONTROL, 0, 1, 2, 2, 0, 0,
    5, DESCRIPTOR_CLASS_INTERFACE, 0x00, 0x20, 0x01, /* header: CDC 1.2 */
    5, DESCRIPTOR_CLASS_INTERFACE, 0x01, 0, EB_USB_INTERFACE_DATA, /* call management: none */
    4, DESCRIPTOR_CLASS_INTERFACE, 0x02, 0x06, /* ACM: line coding and state, break */
    5, DESCRIPTOR_CLASS_INTERFACE, 0x06, EB_USB_INTERFACE_CONTROL, EB_USB_INTERFACE_DATA, /* union */
    7, DESCRIPTOR_ENDPOINT, EB_USB_NOTIFY, 3, EB_USB_NOTIFY_BYTES, 0, 16, /* ms */
    9, DESCRIPTOR_INTERFACE, EB_USB_INTERFACE_DATA, 0, 2, 10, 0, 0, 0,
    7, DESCRIPTOR_ENDPOINT, EB_USB_OUT, 2, EB_USB_PACKET_BYTES, 0, 0,
    7, DESCRIPTOR_ENDPOINT, EB_USB_IN, 2, EB_USB_PACKET_BYTES, 0, 0,
};
// clang-format on

static void compose_device(const eb_usb_identity *identity, uint8_t *composed)
{
    const uint16_t vid = identity->vid;
    const uint16_t pid = identity->pid;
    // clang-format off
    const uint8_t device[DEVICE_BYTES] = {
        DEVICE_BYTES, DESCRIPTOR_DEVICE, 0x00, 0x02, /* USB 2.0 */
        0xEF, 2, 1, /* its interfaces are associated */
        EB_USB_PACKET_BYTES,
        (uint8_t)LOW(vid), (uint8_t)HIGH(vid), (uint8_t)LOW(pid), (uint8_t)HIGH(pid),
        0x00, 0x01, STRING_MANUFACTURER, STRING_PRODUCT, STRING_SERIAL, 1,
    };
    // clang-format on

    memcpy(composed, device, sizeof device);
}

static size_t compose_string(const char *text, uint8_t *composed)
{
    size_t count = 2;

    for (; *text && count < EB_USB_COMPOSED_BYTES; count += 2) {
        composed[count] = (uint8_t)*text++; /* UTF-16LE */
        composed[count + 1] = 0;
    }
    composed[0] = (uint8_t)count;
    composed[1] = DESCRIPTOR_STRING;
    return count;
}

static size_t describe_string(const eb_usb_identity *identity, unsigned number, uint8_t *composed)
{
    static const uint8_t languages[] = {4, DESCRIPTOR_STRING, 0x09, 0x04}; /* English (US) */

    switch (number) {
    case 0:
        memcpy(composed, languages, sizeof languages);
        return sizeof languages;
    case STRING_MANUFACTURER:
        return compose_string("edgebio", composed);
    case STRING_PRODUCT:
        return compose_string(identity->product, composed);
    case STRING_SERIAL:
        return compose_string(identity->serial, composed);
    default:
        return 0;
    }
}

size_t eb_usb_descriptor(const eb_usb_identity *identity, unsigned type, unsigned number,
                         uint8_t *composed, const uint8_t **bytes)
{
    *bytes = composed;
    if (type == DESCRIPTOR_STRING) {
        return describe_string(identity, number, composed);
    }
    if (type == DESCRIPTOR_DEVICE && number == 0) {
        compose_device(identity, composed);
        return DEVICE_BYTES;
    }
    if (type == DESCRIPTOR_CONFIGURATION && number == 0) {
        *bytes = configuration;
        return sizeof configuration;
    }
    return 0; /* also the qualifier of high speed, which it has not */
}
