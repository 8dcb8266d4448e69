# The Worker in workerd, the open-source runtime of Cloudflare Workers, without any account.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "voices", worker = .voices),
    # where the objects' storage lies: workerd serve --directory-path=storage=FOLDER
    (name = "storage", disk = (writable = true)),
  ],
  sockets = [(name = "http", http = (), service = "voices")],
);

const voices :Workerd.Worker = (
  modules = [
    (name = "worker.mjs", esModule = embed "output/worker.mjs"),
    (name = "lstm.wasm", wasm = embed "output/lstm.wasm"),
    (name = "lstm-int8.wasm", wasm = embed "output/lstm-int8.wasm"),
    (name = "lstm-onnx.wasm", wasm = embed "output/lstm-onnx.wasm"),
    (name = "lstm-gru.wasm", wasm = embed "output/lstm-gru.wasm"),
    (name = "silero_vad.onnx", data = embed "output/silero_vad.onnx"),
  ],
  compatibilityDate = "2026-01-01",
  durableObjectNamespaces = [(className = "VoiceObject", uniqueKey = "voices", enableSql = true)],
  durableObjectStorage = (localDisk = "storage"),
  bindings = [(name = "VOICES", durableObjectNamespace = "VoiceObject")],
);
