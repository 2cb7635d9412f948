// TPM 2.0 Part 3 r01.59 §22 Integrity Collection (PCR).
#include <algorithm>

#include "commands.h"

namespace tpm2 {

namespace {

// How often a read begins again because a PCR changed under it.
constexpr int kAttempts = 8;

bool IsEmpty(const TPML_PCR_SELECTION& selection) {
  for (UINT32 i = 0; i < selection.count; i++) {
    for (const BYTE octet : selection.pcrSelections[i].pcrSelect) {
      if (octet != 0) return false;
    }
  }
  return true;
}

// Takes out of `left` what `read` has; false when nothing was read.
bool Remove(TPML_PCR_SELECTION& left, const TPML_PCR_SELECTION& read) {
  for (UINT32 i = 0; i < left.count && i < read.count; i++) {
    auto& bank = left.pcrSelections[i];
    if (bank.hash != read.pcrSelections[i].hash) throw Failure{TSS2_ESYS_RC_MALFORMED_RESPONSE, "PCR_Read"};
    for (size_t byte = 0; byte < TPM2_PCR_SELECT_MAX; byte++) {
      bank.pcrSelect[byte] &= static_cast<BYTE>(~read.pcrSelections[i].pcrSelect[byte]);
    }
  }
  return !IsEmpty(read);
}

void Add(TPML_PCR_SELECTION& all, const TPML_PCR_SELECTION& read) {
  for (UINT32 i = 0; i < all.count && i < read.count; i++) {
    for (size_t byte = 0; byte < TPM2_PCR_SELECT_MAX; byte++) {
      all.pcrSelections[i].pcrSelect[byte] |= read.pcrSelections[i].pcrSelect[byte];
    }
  }
}

TPML_PCR_SELECTION NoneOf(TPML_PCR_SELECTION selection) {
  for (UINT32 i = 0; i < selection.count; i++) {
    std::fill_n(selection.pcrSelections[i].pcrSelect, sizeof selection.pcrSelections[i].pcrSelect, BYTE{0});
  }
  return selection;
}

struct Reading {
  UINT32 counter = 0;
  TPML_PCR_SELECTION selection{};
  std::vector<Bytes> digests;
};

// False when the update counter moved between two parts.
bool ReadOnce(Context& tpm, const TPML_PCR_SELECTION& wanted, Reading& reading) {
  reading = Reading{0, NoneOf(wanted), {}};
  TPML_PCR_SELECTION left = wanted;
  for (bool first = true; first || !IsEmpty(left); first = false) {
    UINT32 counter = 0;
    Out<TPML_PCR_SELECTION> read;
    Out<TPML_DIGEST> values;
    Check("PCR_Read",
          Esys_PCR_Read(tpm.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &left, &counter, &read, &values));
    if (!first && counter != reading.counter) return false;
    reading.counter = counter;
    for (UINT32 i = 0; i < values->count; i++) {
      const auto& digest = values->digests[i];
      reading.digests.emplace_back(digest.buffer, digest.buffer + digest.size);
    }
    Add(reading.selection, *read);
    if (!Remove(left, *read)) break;  // what is left belongs to banks that are not active
  }
  return true;
}

}  // namespace

// All selected PCRs of the active banks at one value of the update counter. TPM2_PCR_Read gives eight digests at most.
Job PcrRead(const Arguments& in) {
  return [wanted = in.Structure("pcrSelection", Tss2_MU_TPML_PCR_SELECTION_Unmarshal)](Context& tpm, Answer& out) {
    Reading reading;
    int attempt = 0;
    while (!ReadOnce(tpm, wanted, reading)) {
      if (++attempt == kAttempts) throw Failure{kUnsteadyPcrs, "PCR_Read"};
    }
    out.Number("pcrUpdateCounter", reading.counter);
    out.Structure("pcrSelection", reading.selection, Tss2_MU_TPML_PCR_SELECTION_Marshal);
    out.OctetsList("digests", std::move(reading.digests));
  };
}

Job PcrExtend(const Arguments& in) {
  return [pcr = Entity(ESYS_TR_PCR0 + in.Number("pcr"), in.Content<TPM2B_AUTH>("pcrAuth"), ESYS_TR_NONE),
          digests = in.Structure("digests", Tss2_MU_TPML_DIGEST_VALUES_Unmarshal),
          protection = in.Protected()](Context& tpm, Answer&) {
    if (pcr.handle > ESYS_TR_PCR31) throw Failure{kMalformedStructure, "pcr"};
    CommandSessions sessions(tpm, protection, kNeither);
    const ESYS_TR authorization = sessions.Authorize(pcr);
    Check("PCR_Extend",
          Esys_PCR_Extend(tpm.esys(), pcr.handle, authorization, sessions.Rest(), ESYS_TR_NONE, &digests));
  };
}

}  // namespace tpm2
