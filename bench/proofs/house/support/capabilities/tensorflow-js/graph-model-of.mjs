// The digits' network in the form that TensorFlow.js has models in: channels last, kernels [height, width, in, out].

/** @returns `model.json` as data, and the bytes of its one shard */
export async function graphModelOf(graph) {
  const weights = [];
  const nodes = [];
  const node = (name, op, input, attr = {}) => {
    nodes.push({ name, op, input, attr });
    return name;
  };
  const weight = (name, shape, values, dtype = "float32") => {
    weights.push({ name, shape, values, dtype });
    return node(name, "Const", []);
  };
  const input = node("x", "Placeholder", []);
  let value = input;
  let place = { channels: 1, area: 1 };
  const pair = (size) => ({ list: { i: ["1", String(size), String(size), "1"] } });
  const padding = (text) => ({ s: btoa(text) });
  for (const [index, { op, inputs, attributes }] of graph.order().entries()) {
    const tensors = await Promise.all(
      inputs.slice(1).map(async (id) => {
        const tensor = graph.constant(id);
        return { dims: tensor.dims, data: await tensor.readFloat32() };
      }),
    );
    const name = `${op}_${index}`;
    const [w, b] = tensors;
    const add = (made) =>
      node(`${name}/bias`, "BiasAdd", [made, weight(`${name}/b`, b.dims, b.data)]);
    switch (op) {
      case "Conv": {
        const [outputs, channels, height, width] = w.dims;
        const turned = kernelLast(w);
        const kernel = weight(`${name}/w`, [height, width, channels, outputs], turned);
        const padded = (attributes.get("pads")?.value ?? []).some((size) => size > 0n);
        const attr = { strides: pair(1), padding: padding(padded ? "SAME" : "VALID") };
        value = add(node(name, "Conv2D", [value, kernel], attr));
        place = { channels: outputs, area: 1 };
        break;
      }
      case "MaxPool": {
        const size = Number(attributes.get("kernel_shape").value[0]);
        const strides = Number(attributes.get("strides").value[0]);
        const attr = { ksize: pair(size), strides: pair(strides), padding: padding("VALID") };
        value = node(name, "MaxPool", [value], attr);
        break;
      }
      case "Relu":
        value = node(name, "Relu", [value]);
        break;
      case "Flatten": {
        const next = graph.consumers(graph.order()[index].outputs[0])[0];
        const wide = graph.constant(next.inputs[1]).dims[1];
        place = { ...place, area: wide / place.channels };
        value = node(name, "Reshape", [value, weight(`${name}/shape`, [2], [-1, wide], "int32")]);
        break;
      }
      case "Gemm": {
        const [outputs, wide] = w.dims;
        const turned = new Float32Array(w.data.length);
        for (let output = 0; output < outputs; output += 1)
          for (let at = 0; at < wide; at += 1) {
            const [channel, pixel] = [Math.floor(at / place.area), at % place.area];
            const row = pixel * (wide / place.area) + channel;
            turned[row * outputs + output] = w.data[output * wide + at];
          }
        value = add(node(name, "MatMul", [value, weight(`${name}/w`, [wide, outputs], turned)]));
        place = { channels: outputs, area: 1 };
        break;
      }
      default:
        throw new Error(`${op} is not written.`);
    }
  }
  const parts = weights.map(({ values, dtype }) =>
    dtype === "int32" ? Int32Array.from(values) : Float32Array.from(values),
  );
  const shard = new Uint8Array(Buffer.concat(parts.map((part) => new Uint8Array(part.buffer))));
  const dims = (...sizes) => ({ dim: sizes.map((size) => ({ size: String(size) })) });
  return {
    shard,
    model: {
      format: "graph-model",
      modelTopology: { node: nodes },
      signature: {
        inputs: { x: { name: `${input}:0`, tensorShape: dims(-1, 28, 28, 1) } },
        outputs: { logits: { name: `${value}:0`, tensorShape: dims(-1, 10) } },
      },
      weightsManifest: [
        {
          paths: ["group1-shard1of1.bin"],
          weights: weights.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
        },
      ],
    },
  };
}

function kernelLast({ dims: [outputs, channels, height, width], data }) {
  const turned = new Float32Array(data.length);
  const area = height * width;
  for (let output = 0; output < outputs; output += 1)
    for (let channel = 0; channel < channels; channel += 1)
      for (let place = 0; place < area; place += 1)
        turned[(place * channels + channel) * outputs + output] =
          data[(output * channels + channel) * area + place];
  return turned;
}
