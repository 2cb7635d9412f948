// Reads the one object that every command takes, on Node's thread, into values that the worker may keep.
// A wrong JavaScript type is the caller's bug (TypeError); octets that are not the structure they should be are a Failure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <napi.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>

#include "answer.h"
#include "failure.h"
#include "sessions.h"

namespace tpm2 {

class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info);

  bool Has(const char* key) const;
  uint32_t Number(const char* key) const;
  uint32_t Number(const char* key, uint32_t fallback) const;
  uint16_t Number16(const char* key) const;
  uint16_t Number16(const char* key, uint16_t fallback) const;
  bool Boolean(const char* key) const;
  Bytes Octets(const char* key) const;  // empty when absent
  std::vector<Bytes> OctetsList(const char* key) const;

  // A TPM2B of octets from its content; empty when absent.
  template <typename Sized>
  Sized Content(const char* key) const {
    return Fill<Sized>(key, Octets(key));
  }

  // A marshalled structure, whole: trailing octets are refused.
  template <typename T>
  T Structure(const char* key, TSS2_RC (*unmarshal)(const uint8_t*, size_t, size_t*, T*)) const {
    const Bytes bytes = Octets(key);
    T value{};
    size_t used = 0;
    if (unmarshal(bytes.data(), bytes.size(), &used, &value) != TSS2_RC_SUCCESS || used != bytes.size()) {
      throw Failure{kMalformedStructure, key};
    }
    return value;
  }
  template <typename T>
  T Structure(const char* key, TSS2_RC (*unmarshal)(const uint8_t*, size_t, size_t*, T*), T fallback) const {
    return Has(key) ? Structure(key, unmarshal) : fallback;
  }

  TPM2B_PUBLIC Public(const char* key) const;
  TPMT_SIG_SCHEME Scheme() const;
  // What authorises the use of an entity: `<key>` and `<key>Auth`, or `<key>Session` for a policy session.
  Entity Authorized(const char* key) const;
  // The same for a hierarchy, whose handle is a TPM_RH constant; a number that is none is refused.
  Entity Hierarchy(const char* key) const;
  Protection Protected() const;

  template <typename Sized>
  static Sized Fill(const char* key, const Bytes& bytes) {
    Sized sized{};
    constexpr size_t header = sizeof(sized.size);
    // The octets follow the size with no padding in every TPM2B of octets.
    if (bytes.size() > sizeof(Sized) - header) throw Failure{kMalformedStructure, key};
    sized.size = static_cast<UINT16>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<uint8_t*>(&sized) + header);
    return sized;
  }

 private:
  Napi::Value Value(const char* key) const;

  Napi::Object object_;
};

// The ESYS_TR constant of a TPM_RH hierarchy; ESYS_TR_NONE for anything else.
ESYS_TR HierarchyHandle(uint32_t tpm_handle);

}  // namespace tpm2
