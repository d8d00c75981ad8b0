// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_settings.h"

void eb_settings_answer_of(const eb_decision_config *own, eb_answer *answer)
{
    const eb_settings_answer written = {
        .votes = own->votes,
        .hold = own->hold,
        .rest = own->rest,
        .least = (uint16_t)(own->least + 128),
        .limit = own->limit,
        .onset = own->onset,
        .timeout_ms = own->timeout_ms,
    };
    answer->payload_bytes = eb_settings_answer_write(&written, answer->payload);
}

bool eb_settings_fit(const eb_configure_request *wanted, const eb_decision_config *built)
{
    return wanted->votes >= 1 && wanted->votes <= EB_DECISION_MAX_VOTES && wanted->least <= 256 &&
           wanted->rest == built->rest;
}

void eb_settings_take(const eb_configure_request *wanted, eb_decision_config *own)
{
    own->votes = wanted->votes;
    own->hold = wanted->hold;
    own->least = (int16_t)((int32_t)wanted->least - 128);
    own->limit = wanted->limit;
    own->onset = wanted->onset;
    own->timeout_ms = wanted->timeout_ms;
}
