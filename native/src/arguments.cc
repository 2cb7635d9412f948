#include "arguments.h"

#include <cmath>

namespace tpm2 {

namespace {

[[noreturn]] void Refuse(const Napi::Env& env, const char* key, const char* wanted) {
  throw Napi::TypeError::New(env, std::string(key) + " must be " + wanted);
}

Bytes ToBytes(const Napi::Value& value, const char* key) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    Refuse(value.Env(), key, "a Uint8Array");
  }
  const auto array = value.As<Napi::Uint8Array>();
  if (array.ByteLength() == 0) return {};
  return Bytes(array.Data(), array.Data() + array.ByteLength());
}

}  // namespace

Arguments::Arguments(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsObject()) Refuse(info.Env(), "the argument", "an object");
  object_ = info[0].As<Napi::Object>();
}

Napi::Value Arguments::Value(const char* key) const { return object_.Get(key); }

bool Arguments::Has(const char* key) const { return !Value(key).IsUndefined(); }

uint32_t Arguments::Number(const char* key) const {
  const Napi::Value value = Value(key);
  if (!value.IsNumber()) Refuse(value.Env(), key, "a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0 && number <= UINT32_MAX) || number != std::floor(number)) {
    Refuse(value.Env(), key, "an unsigned 32-bit integer");
  }
  return static_cast<uint32_t>(number);
}

uint16_t Arguments::Number16(const char* key) const {
  const uint32_t number = Number(key);
  if (number > UINT16_MAX) Refuse(object_.Env(), key, "an unsigned 16-bit integer");
  return static_cast<uint16_t>(number);
}

uint16_t Arguments::Number16(const char* key, uint16_t fallback) const { return Has(key) ? Number16(key) : fallback; }

uint32_t Arguments::Number(const char* key, uint32_t fallback) const { return Has(key) ? Number(key) : fallback; }

bool Arguments::Boolean(const char* key) const { return Has(key) && Value(key).ToBoolean(); }

Bytes Arguments::Octets(const char* key) const {
  return Has(key) ? ToBytes(Value(key), key) : Bytes{};
}

std::vector<Bytes> Arguments::OctetsList(const char* key) const {
  const Napi::Value value = Value(key);
  if (!value.IsArray()) Refuse(value.Env(), key, "an array of Uint8Array");
  const auto array = value.As<Napi::Array>();
  std::vector<Bytes> list;
  for (uint32_t i = 0; i < array.Length(); i++) list.push_back(ToBytes(array.Get(i), key));
  return list;
}

TPM2B_PUBLIC Arguments::Public(const char* key) const {
  return TPM2B_PUBLIC{0, Structure(key, Tss2_MU_TPMT_PUBLIC_Unmarshal)};
}

TPMT_SIG_SCHEME Arguments::Scheme() const {
  return Structure("scheme", Tss2_MU_TPMT_SIG_SCHEME_Unmarshal, TPMT_SIG_SCHEME{TPM2_ALG_NULL, {}});
}

Entity Arguments::Authorized(const char* key) const {
  const std::string auth = std::string(key) + "Auth";
  const std::string session = std::string(key) + "Session";
  return Entity{Number(key), Fill<TPM2B_AUTH>(auth.c_str(), Octets(auth.c_str())), Number(session.c_str(), ESYS_TR_NONE)};
}

Entity Arguments::Hierarchy(const char* key) const {
  const ESYS_TR handle = HierarchyHandle(Number(key));
  if (handle == ESYS_TR_NONE) Refuse(object_.Env(), key, "a hierarchy handle");
  const std::string auth = std::string(key) + "Auth";
  return Entity{handle, Fill<TPM2B_AUTH>(auth.c_str(), Octets(auth.c_str())), ESYS_TR_NONE};
}

Protection Arguments::Protected() const {
  return Protection{Number("protection", ESYS_TR_NONE), Boolean("protectionIsSession")};
}

ESYS_TR HierarchyHandle(uint32_t tpm_handle) {
  switch (tpm_handle) {
    case TPM2_RH_OWNER:
      return ESYS_TR_RH_OWNER;
    case TPM2_RH_ENDORSEMENT:
      return ESYS_TR_RH_ENDORSEMENT;
    case TPM2_RH_PLATFORM:
      return ESYS_TR_RH_PLATFORM;
    case TPM2_RH_LOCKOUT:
      return ESYS_TR_RH_LOCKOUT;
    case TPM2_RH_NULL:
      return ESYS_TR_RH_NULL;
    default:
      return ESYS_TR_NONE;
  }
}

}  // namespace tpm2
