// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* An application that sends the blocks of its sample source: five words, then the samples. */
#include "eb_source.h"
#include "port.h"
#include "source_config.h"

int main(void);

int main(void)
{
    port_init();
    if (!eb_source_start()) {
        return 1;
    }
    for (;;) {
        eb_source_block block;
        port_watchdog_feed();
        if (!eb_source_take(&block)) {
            port_idle();
            continue;
        }
        const uint32_t words[] = {block.first, block.time_us, block.leads_off, block.frames,
                                  block.flags};
        port_write((const uint8_t *)words, sizeof words);
        port_write((const uint8_t *)block.samples,
                   block.frames * EB_SOURCE_CHANNELS * sizeof(int16_t));
        eb_source_release();
    }
}
