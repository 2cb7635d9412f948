#include "context.h"

#include <algorithm>

namespace tpm2 {

namespace {

// The TPM holds no such handle (any more): a reset took it, or another process flushed it.
bool SaysGone(TSS2_RC rc) {
  const TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;
  if (layer != TSS2_TPM_RC_LAYER && layer != TSS2_RESMGR_TPM_RC_LAYER) return false;
  const TSS2_RC code = rc & ~TSS2_RC_LAYER_MASK;
  if ((code & TPM2_RC_FMT1) == 0) return code == TPM2_RC_REFERENCE_H0;
  const TSS2_RC base = code & (TPM2_RC_FMT1 | 0x3f);
  return base == TPM2_RC_HANDLE || base == TPM2_RC_VALUE;
}

}  // namespace

Context::Context(const std::string& tcti, RetryPolicy policy) : tcti_(tcti, policy) {
  Check("Esys_Initialize", Esys_Initialize(&esys_, tcti_.context(), nullptr));
}

Context::~Context() { Esys_Finalize(&esys_); }

void Context::BeginTask() {
  for (auto orphan = orphans_.begin(); orphan != orphans_.end();) {
    tcti_.BeginCommand();
    const TSS2_RC rc = Esys_FlushContext(esys_, *orphan);
    if (rc != TSS2_RC_SUCCESS && !SaysGone(rc)) break;  // the TPM is in trouble: the command will tell
    Forget(*orphan);
    orphan = orphans_.erase(orphan);
  }
  tcti_.BeginCommand();
}

void Context::Drain() {
  while (!held_.empty()) {
    ESYS_TR handle = *held_.begin();
    held_.erase(held_.begin());
    tcti_.BeginCommand();
    Esys_FlushContext(esys_, handle);
  }
}

void Context::Flush(ESYS_TR handle) {
  const TSS2_RC rc = Esys_FlushContext(esys_, handle);
  if (rc != TSS2_RC_SUCCESS && !SaysGone(rc)) throw Failure{rc, "FlushContext"};
  held_.erase(handle);
  references_.erase(handle);
  if (rc != TSS2_RC_SUCCESS) Esys_TR_Close(esys_, &handle);
}

// TPM_PT_NV_BUFFER_MAX: the most that NV_Read and NV_Write move at once (TPM 2.0 Part 2 r01.59 §6.13).
uint32_t Context::NvBufferMax() {
  if (nv_buffer_max_ != 0) return nv_buffer_max_;
  Out<TPMS_CAPABILITY_DATA> data;
  TPMI_YES_NO more;
  Check("GetCapability", Esys_GetCapability(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_TPM_PROPERTIES,
                                            TPM2_PT_NV_BUFFER_MAX, 1, &more, &data));
  const auto& properties = data->data.tpmProperties;
  const bool known = properties.count == 1 && properties.tpmProperty[0].property == TPM2_PT_NV_BUFFER_MAX;
  // 512 is what every TPM of the PC Client profile moves at once.
  const uint32_t reported = known ? properties.tpmProperty[0].value : 512;
  nv_buffer_max_ = std::clamp<uint32_t>(reported, 1, TPM2_MAX_NV_BUFFER_SIZE);
  return nv_buffer_max_;
}

Scoped::~Scoped() {
  if (handle_ == ESYS_TR_NONE) return;
  tpm_.tcti().BeginCommand();
  if (Esys_FlushContext(tpm_.esys(), handle_) == TSS2_RC_SUCCESS) {
    tpm_.Forget(handle_);
  } else {
    tpm_.Orphan(handle_);
  }
}

ESYS_TR Context::Refer(TPM2_HANDLE handle) {
  ESYS_TR reference = ESYS_TR_NONE;
  Check("ReadPublic", Esys_TR_FromTPMPublic(esys_, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &reference));
  AddReference(reference);
  return reference;
}

void Context::DropReference(ESYS_TR handle) {
  const auto found = references_.find(handle);
  if (found != references_.end() && --found->second == 0) DropAllReferences(handle);
}

// tpm2-tss 4 counts as well: closed until there is nothing to close.
void Context::DropAllReferences(ESYS_TR handle) {
  references_.erase(handle);
  if (Holds(handle)) return;
  for (ESYS_TR closed = handle; Esys_TR_Close(esys_, &closed) == TSS2_RC_SUCCESS; closed = handle) {
  }
}

}  // namespace tpm2
