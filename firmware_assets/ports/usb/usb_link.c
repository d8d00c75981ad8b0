// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "usb_link.h"

#include "cortex_m.h"
#include "eb_board.h"
#include "port.h"
#include "uart.h"

eb_usb usb_link;

void usb_link_start(const uint8_t id[8])
{
    static char serial[17];
    static const eb_usb_identity identity = {
        .vid = EB_USB_VID, .pid = EB_USB_PID, .product = EB_USB_PRODUCT, .serial = serial};

    for (unsigned i = 0; i < 16; i++) {
        const unsigned digit = id[i / 2] >> (i % 2 ? 0 : 4) & 0xFu;
        serial[i] = (char)(digit < 10 ? '0' + digit : 'A' + digit - 10);
    }
    eb_usb_start(&usb_link, &identity);
}

void usb_link_drain(void)
{
    const uint32_t start = port_micros();

    while (usb_link.sending && port_micros() - start < PORT_WRITE_PATIENCE_MS * 1000u) {
    }
}

void eb_usb_user_received(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cortex_m_uart_received(bytes[i]);
    }
}

size_t eb_usb_user_room(void)
{
    return cortex_m_uart_receive_room();
}

void eb_usb_user_transmit(void)
{
    cortex_m_uart_transmit();
}

bool port_uart_room(void)
{
    return eb_usb_room(&usb_link);
}

void port_uart_send(uint8_t byte)
{
    eb_usb_put(&usb_link, byte);
}

/* The end of a packet is an interrupt in any case. Without more bytes, the packet is complete. */
void port_uart_watch_room(bool on)
{
    if (!on) {
        eb_usb_flush(&usb_link);
    }
}

bool port_uart_poll(void)
{
    const uint32_t before = cortex_m_lock();
    eb_usb_resume(&usb_link);
    const bool touched = eb_usb_touched(&usb_link);
    cortex_m_unlock(before);

    if (touched && port_has_bootloader()) {
        port_enter_bootloader();
    }
    return usb_link_poll_controller && usb_link_poll_controller();
}
