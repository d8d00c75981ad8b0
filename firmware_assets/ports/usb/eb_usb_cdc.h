// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* A serial port on USB, the device's side: one CDC ACM function at full speed.
 *
 * USB 2.0 chapters 8 and 9; "Class Definitions for Communications Devices" 1.2 and its PSTN120. Portable:
 * the controller of a chip reports what happens on the bus (eb_usb_reset and those below it), and
 * implements eb_usb_controller_*. No function here may interrupt another one: call them in the
 * controller's interrupt, or with it masked.
 *
 * The device is bus-powered and never suspends itself. It sends no notifications, whose endpoint
 * the class demands.
 */
#ifndef EB_USB_CDC_H
#define EB_USB_CDC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EB_USB_PACKET_BYTES 64u /* most of a packet, of every endpoint but notifications */
#define EB_USB_NOTIFY_BYTES 8u

/* Addresses of the endpoints besides 0; the top bit says "to the host". */
#define EB_USB_TO_HOST 0x80u
#define EB_USB_NOTIFY (EB_USB_TO_HOST | 1u)
#define EB_USB_OUT 2u
#define EB_USB_IN (EB_USB_TO_HOST | 2u)

/* Longest string, in characters of ASCII. */
#define EB_USB_STRING_LENGTH 31u
#define EB_USB_COMPOSED_BYTES (2u + 2u * EB_USB_STRING_LENGTH)

typedef struct {
    uint16_t vid;
    uint16_t pid;
    const char *product;
    const char *serial;
} eb_usb_identity;

typedef enum {
    EB_USB_IDLE,
    EB_USB_DATA_IN,
    EB_USB_DATA_OUT,
    EB_USB_STATUS,
} eb_usb_stage;

typedef struct {
    const eb_usb_identity *identity;

    /* The control transfer. */
    eb_usb_stage stage;
    uint8_t setup[8];
    const uint8_t *answer;
    size_t answer_left;
    size_t answer_packet;   /* bytes under way */
    bool answer_ends_empty; /* by a packet without data */
    bool address_changes;
    uint8_t new_address;

    bool configured;
    bool notify_halted;
    bool in_halted;
    bool out_halted;
    bool out_paused; /* no room for another packet */

    uint8_t line_coding[7];
    bool terminal_ready; /* DTR */
    bool touched;

    bool sending;   /* `packet` is under way */
    bool ends_full; /* the last packet was full: the host waits for more, or for an empty one */
    size_t packet_bytes;
    uint8_t packet[EB_USB_PACKET_BYTES] __attribute__((aligned(4)));
    uint8_t control_packet[EB_USB_PACKET_BYTES] __attribute__((aligned(4)));
    uint8_t composed[EB_USB_COMPOSED_BYTES]; /* a descriptor */
} eb_usb;

void eb_usb_start(eb_usb *usb, const eb_usb_identity *identity);

/* Events of the bus: a reset; a setup packet, which ends the control transfer before it; the packet
 * of eb_usb_controller_send has been acknowledged; a packet that eb_usb_controller_receive allowed has
 * arrived; the status stage of eb_usb_controller_status is over. */
void eb_usb_reset(eb_usb *usb);
void eb_usb_setup(eb_usb *usb, const uint8_t setup[8]);
void eb_usb_sent(eb_usb *usb, uint8_t endpoint);
void eb_usb_received(eb_usb *usb, uint8_t endpoint, const uint8_t *bytes, size_t count);
void eb_usb_status_done(eb_usb *usb);

/* The serial port: whether it accepts a byte; a byte; send what is not a full packet yet. As on a UART
 * that nobody listens to, bytes are accepted and lost while no host has configured the device. */
bool eb_usb_room(const eb_usb *usb);
void eb_usb_put(eb_usb *usb, uint8_t byte);
void eb_usb_flush(eb_usb *usb);

/* There is room again: receive on. */
void eb_usb_resume(eb_usb *usb);

/* Whether the host has opened the port at 1200 bit/s and closed it, which by custom asks for the boot
 * loader. */
bool eb_usb_touched(const eb_usb *usb);

/* The user of the port implements these: bytes have arrived, at most as many as it had room for; how
 * many it has room for; and, after a packet has left, eb_usb_put and eb_usb_flush for what waits. */
void eb_usb_user_received(const uint8_t *bytes, size_t count);
size_t eb_usb_user_room(void);
void eb_usb_user_transmit(void);

/* The controller implements these. */

/* Sends a packet when the host asks for it. `bytes` stay as they are until eb_usb_sent, or until the
 * transfer ends by a setup packet, a reset or a halt. */
void eb_usb_controller_send(uint8_t endpoint, const uint8_t *bytes, size_t count);

/* Accepts one packet; until then the host gets NAK. */
void eb_usb_controller_receive(uint8_t endpoint);

/* Status stage of the control transfer: an empty packet, to the host or from it. */
void eb_usb_controller_status(bool to_host);

/* Refuses the control transfer: STALL until the next setup packet. */
void eb_usb_controller_stall(void);

/* The address from now on. */
void eb_usb_controller_address(uint8_t address);

/* Opens the endpoints besides 0, each with DATA0 next and nothing under way, or closes them. */
void eb_usb_controller_configure(bool on);

/* Halts an endpoint (STALL), or ends that, with DATA0 next; either way nothing is under way then. */
void eb_usb_controller_halt(uint8_t endpoint, bool on);

#ifdef __cplusplus
}
#endif

#endif
