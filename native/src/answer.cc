#include "answer.h"

#include <cstring>

namespace tpm2 {

namespace {

Napi::Value ToUint8Array(Napi::Env env, const Bytes& bytes) {
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, bytes.size());
  if (!bytes.empty()) std::memcpy(buffer.Data(), bytes.data(), bytes.size());
  return Napi::Uint8Array::New(env, bytes.size(), buffer, 0);
}

struct ToValue {
  Napi::Env env;
  Napi::Value operator()(double value) const { return Napi::Number::New(env, value); }
  Napi::Value operator()(bool value) const { return Napi::Boolean::New(env, value); }
  Napi::Value operator()(const Bytes& value) const { return ToUint8Array(env, value); }
  Napi::Value operator()(const std::vector<Bytes>& values) const {
    Napi::Array array = Napi::Array::New(env, values.size());
    for (uint32_t i = 0; i < values.size(); i++) array.Set(i, ToUint8Array(env, values[i]));
    return array;
  }
};

}  // namespace

void Answer::Handle(Context& tpm, ESYS_TR handle) {
  TPM2_HANDLE tpm_handle = 0;
  Check("Esys_TR_GetTpmHandle", Esys_TR_GetTpmHandle(tpm.esys(), handle, &tpm_handle));
  Out<TPM2B_NAME> name;
  Check("Esys_TR_GetName", Esys_TR_GetName(tpm.esys(), handle, &name));
  Number("tr", handle);
  Number("tpmHandle", tpm_handle);
  Content("name", *name);
}

Napi::Object Answer::ToObject(Napi::Env env) const {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [key, field] : fields_) object.Set(key, std::visit(ToValue{env}, field));
  return object;
}

}  // namespace tpm2
