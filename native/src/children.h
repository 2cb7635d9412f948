#pragma once

namespace tpm2 {

// tpm2-tss opens devices and sockets without O_CLOEXEC: a child process that this one starts would inherit the TPM, with
// all that is loaded in it, and keep its connection occupied for as long as it lives. From this call on every child of a
// fork begins with all its descriptors but the first three marked to be closed when it becomes another program.
void KeepDescriptorsFromChildren();

}  // namespace tpm2
