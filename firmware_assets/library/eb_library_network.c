// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_library_memory.h"

_Static_assert(sizeof(eb_library_memory) <= sizeof(eb_library_state), "the state is large enough");
_Static_assert(sizeof(eb_library_input) >= EB_MODEL_INPUT_BYTES &&
                   sizeof(eb_library_output) >= EB_MODEL_OUTPUT_BYTES,
               "inputs and outputs are those of the network");

eb_library_status eb_library_invoke(eb_library_state *state, const eb_library_input *input,
                                    eb_library_output *output)
{
    if (state == 0 || input == 0 || output == 0 || !eb_library_is_aligned(state)) {
        return EB_LIBRARY_ERROR_ARGUMENT;
    }
    /* The members of several tensors lie as the packed form has them. */
    eb_model_invoke_packed(eb_library_memory_of(state)->network, input, output);
    return EB_LIBRARY_OK;
}

#if EB_MODEL_KEPT_BYTES
eb_library_status eb_library_reset(eb_library_state *state)
{
    if (state == 0 || !eb_library_is_aligned(state)) {
        return EB_LIBRARY_ERROR_ARGUMENT;
    }
    eb_model_reset(eb_library_memory_of(state)->network);
    return EB_LIBRARY_OK;
}
#endif
