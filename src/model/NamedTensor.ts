/** A tensor on its way to or from the inference worker; its buffer is transferred, never copied. */
export type NamedTensor =
  | {
      readonly name: string;
      readonly dtype: "float32";
      readonly shape: readonly number[];
      readonly data: Float32Array<ArrayBuffer>;
    }
  | {
      readonly name: string;
      readonly dtype: "int32";
      readonly shape: readonly number[];
      readonly data: Int32Array<ArrayBuffer>;
    };

export function int32Tensor(
  name: string,
  shape: readonly number[],
  data: Int32Array<ArrayBuffer>,
): NamedTensor {
  return { name, dtype: "int32", shape, data };
}

export function float32Tensor(
  name: string,
  shape: readonly number[],
  data: Float32Array<ArrayBuffer>,
): NamedTensor {
  return { name, dtype: "float32", shape, data };
}
