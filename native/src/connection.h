// The JavaScript object that stands for one connection; its commands are the functions of commands_*.cc.
#pragma once

#include <memory>
#include <vector>

#include <napi.h>

#include "arguments.h"
#include "worker.h"

namespace tpm2 {

// Reads a command's arguments and gives the job that runs it.
using Command = Job (*)(const Arguments&);

class Connection : public Napi::ObjectWrap<Connection> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit Connection(const Napi::CallbackInfo& info);
  ~Connection() override;

 private:
  template <Command command>
  Napi::Value Run(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  std::shared_ptr<Worker> worker_;
  bool closed_ = false;
};

}  // namespace tpm2
