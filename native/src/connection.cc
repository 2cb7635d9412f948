#include "connection.h"

#include "commands.h"

namespace tpm2 {

Napi::Function Connection::Define(Napi::Env env) {
  return DefineClass(env, "Connection",
                     {
                         InstanceMethod<&Connection::Close>("close"),
                         InstanceMethod<&Connection::Run<Open>>("open"),
                         InstanceMethod<&Connection::Run<GetCapability>>("getCapability"),
                         InstanceMethod<&Connection::Run<GetRandom>>("getRandom"),
                         InstanceMethod<&Connection::Run<OpenHandle>>("openHandle"),
                         InstanceMethod<&Connection::Run<Flush>>("flush"),
                         InstanceMethod<&Connection::Run<ReadPublic>>("readPublic"),
                         InstanceMethod<&Connection::Run<CreatePrimary>>("createPrimary"),
                         InstanceMethod<&Connection::Run<Create>>("create"),
                         InstanceMethod<&Connection::Run<Load>>("load"),
                         InstanceMethod<&Connection::Run<LoadExternal>>("loadExternal"),
                         InstanceMethod<&Connection::Run<EvictControl>>("evictControl"),
                         InstanceMethod<&Connection::Run<StartAuthSession>>("startAuthSession"),
                         InstanceMethod<&Connection::Run<PolicySecret>>("policySecret"),
                         InstanceMethod<&Connection::Run<PolicyPcr>>("policyPcr"),
                         InstanceMethod<&Connection::Run<PolicyOr>>("policyOr"),
                         InstanceMethod<&Connection::Run<PolicyGetDigest>>("policyGetDigest"),
                         InstanceMethod<&Connection::Run<ActivateCredential>>("activateCredential"),
                         InstanceMethod<&Connection::Run<Certify>>("certify"),
                         InstanceMethod<&Connection::Run<CertifyCreation>>("certifyCreation"),
                         InstanceMethod<&Connection::Run<Quote>>("quote"),
                         InstanceMethod<&Connection::Run<GetTime>>("getTime"),
                         InstanceMethod<&Connection::Run<ReadClock>>("readClock"),
                         InstanceMethod<&Connection::Run<PcrRead>>("pcrRead"),
                         InstanceMethod<&Connection::Run<PcrExtend>>("pcrExtend"),
                         InstanceMethod<&Connection::Run<Sign>>("sign"),
                         InstanceMethod<&Connection::Run<Hash>>("hash"),
                         InstanceMethod<&Connection::Run<NvReadPublic>>("nvReadPublic"),
                         InstanceMethod<&Connection::Run<NvRead>>("nvRead"),
                         InstanceMethod<&Connection::Run<NvWrite>>("nvWrite"),
                         InstanceMethod<&Connection::Run<NvIncrement>>("nvIncrement"),
                         InstanceMethod<&Connection::Run<NvDefineSpace>>("nvDefineSpace"),
                         InstanceMethod<&Connection::Run<NvUndefineSpace>>("nvUndefineSpace"),
                         InstanceMethod<&Connection::Run<NvCertify>>("nvCertify"),
                     });
}

Connection::Connection(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Connection>(info) {
  const Arguments in(info);
  const Napi::Value tcti = info[0].As<Napi::Object>().Get("tcti");
  if (!tcti.IsString()) throw Napi::TypeError::New(info.Env(), "tcti must be a string");
  worker_ = Worker::Start(info.Env(), tcti.As<Napi::String>(), {in.Number("retries"), in.Number("timeoutMilliseconds")});
}

// A connection that was never closed: what it held is flushed and its thread ends, out of the collector's way.
Connection::~Connection() {
  if (!closed_ && worker_) worker_->Abandon();
}

template <Command command>
Napi::Value Connection::Run(const Napi::CallbackInfo& info) {
  try {
    return worker_->Queue(info.Env(), command(Arguments(info)));
  } catch (const Failure& failure) {
    const auto deferred = Napi::Promise::Deferred::New(info.Env());
    deferred.Reject(failure.ToError(info.Env()).Value());
    return deferred.Promise();
  }
}

// The second and later calls resolve at once: TypeScript hands out the first one's promise.
Napi::Value Connection::Close(const Napi::CallbackInfo& info) {
  if (closed_) return info.Env().Undefined();
  closed_ = true;
  return worker_->Close(info.Env());
}

}  // namespace tpm2
