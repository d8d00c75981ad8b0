// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* Board of the simulated nRF52840. */
#ifndef EB_BOARD_H
#define EB_BOARD_H

#define EB_USB_VID 0x2E8Au
#define EB_USB_PID 0x000Au
#define EB_USB_PRODUCT "edgebio pico"
#define EB_USB_EACH_IRQ(enable)                                                                    \
    do {                                                                                           \
        enable(39u);                                                                               \
    } while (0)

#endif
