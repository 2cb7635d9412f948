{
  "targets": [
    {
      "target_name": "tpm2",
      "sources": [
        "src/addon.cc",
        "src/arguments.cc",
        "src/answer.cc",
        "src/children.cc",
        "src/connection.cc",
        "src/context.cc",
        "src/failure.cc",
        "src/peer_credentials.cc",
        "src/retrying_tcti.cc",
        "src/sessions.cc",
        "src/worker.cc",
        "src/commands_attestation.cc",
        "src/commands_capability.cc",
        "src/commands_nv.cc",
        "src/commands_object.cc",
        "src/commands_pcr.cc",
        "src/commands_session.cc",
        "src/commands_signing.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": [
        "NAPI_VERSION=8",
        "NODE_ADDON_API_CPP_EXCEPTIONS",
        "NODE_ADDON_API_CPP_EXCEPTIONS_ALL",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
      ],
      "cflags!": ["-fno-exceptions"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti"],
      "cflags": [
        "-Wall",
        "-Wextra",
        "-Wno-unused-parameter",
        "<!@(pkg-config --cflags tss2-esys tss2-mu tss2-rc tss2-tctildr)"
      ],
      "cflags_cc": ["-std=c++20", "-fvisibility=hidden"],
      "libraries": ["<!@(pkg-config --libs tss2-esys tss2-mu tss2-rc tss2-tctildr)"]
    }
  ]
}
