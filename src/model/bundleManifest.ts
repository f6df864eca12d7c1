import { z } from "zod";

/**
 * The schema of `bundle.json`, the contract of a model bundle: a folder with this file, ONNX graphs and
 * MODEL_CARD.md. Written by `ditr-train export`; property names are those of the file.
 */

const dimension = z.union([z.int().positive(), z.string().min(1)]);

const tensorSpec = z.strictObject({
  name: z.string().min(1),
  dtype: z.enum(["float32", "float16", "int32"]),
  /** Sizes; a string names a dimension that differs from scan to scan. */
  shape: z.array(dimension),
});

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hexadecimal digits");

const graphSpec = z.strictObject({
  /** Path relative to the bundle's folder. */
  file: z
    .string()
    .regex(
      /^[\w.-]+\.onnx$/,
      "must be the name of an .onnx file in the bundle's folder, without directories",
    ),
  sha256,
  /** Files beside it with weights that one ONNX file cannot hold. */
  external_data: z
    .array(
      z.strictObject({
        file: z.string().regex(/^[\w-][\w.-]*$/, "must be the name of a file in the bundle's folder"),
        sha256,
      }),
    )
    .min(1)
    .optional(),
  precision: z.enum(["float32", "float16"]),
  inputs: z.array(tensorSpec).min(1),
  outputs: z.array(tensorSpec).min(1),
});

const stageSpec = z.strictObject({
  convolution: z.boolean(),
  attention: z.boolean(),
  position_encoding: z.enum(["convolution", "rotary"]),
  /** Voxels per attention patch. */
  patch_size: z.int().positive(),
});

const backboneSpec = z.strictObject({
  /** Metres. */
  grid_size: z.number().positive(),
  /** x, y, z minimum, then maximum, in metres in the cloud's frame. */
  point_range: z
    .tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()])
    .refine(
      ([x0, y0, z0, x1, y1, z1]) => x0 < x1 && y0 < y1 && z0 < z1,
      "every minimum must be below its maximum",
    ),
  /** Are points outside moved to the faces of the range, also as features, and not left out? */
  clamp: z.boolean().optional(),
  /** Graph feature = (value - offset) * scale. */
  input_features: z
    .array(
      z.strictObject({
        name: z.enum(["x", "y", "z", "intensity"]),
        offset: z.number(),
        scale: z.number(),
      }),
    )
    .min(1),
  orders: z.array(z.enum(["z", "z-trans", "hilbert", "hilbert-trans"])).min(1),
  stem_kernel_size: z.union([z.literal(3), z.literal(5)]),
  stages: z.array(stageSpec).min(1),
});

const imageEncoderSpec = z.strictObject({
  input_height: z.int().positive(),
  input_width: z.int().positive(),
  patch_size: z.int().positive(),
  mean: z.tuple([z.number(), z.number(), z.number()]),
  std: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]),
  feature_dimension: z.int().positive(),
  resize: z.enum(["stretch", "letterbox"]),
  sampling: z.enum(["nearest", "bilinear"]),
  occlusion: z.boolean(),
});

const color = z.tuple([z.int().min(0).max(255), z.int().min(0).max(255), z.int().min(0).max(255)]);

const classSpec = z.strictObject({
  id: z.int().min(0).max(65535),
  name: z.string().min(1),
  color,
});

const detectionSpec = z.strictObject({
  /** Whose voxels are the tokens. */
  stage: z.int().min(0),
  /** Rows of tokens that boxes are looked for at, at most. */
  queries: z.int().positive(),
  classes: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        color,
        /** What true boxes of it are called; absent: as the class. */
        of: z.array(z.string().min(1)).min(1).optional(),
      }),
    )
    .min(1)
    .refine(
      (classes) => new Set(classes.map(({ name }) => name)).size === classes.length,
      "every class must have a name of its own",
    ),
  /** Boxes with fewer measured points were not learned, and need not be found; absent: 1. */
  smallest_points: z.int().min(0).optional(),
  /** Boxes with a lower score are left out. */
  score_threshold: z.number().min(0).max(1),
  /** Of two boxes of a class with more intersection over union the better one is kept. */
  overlap_threshold: z.number().min(0).max(1),
});

export const bundleManifestSchema = z
  .strictObject({
    format_version: z.literal(1),
    name: z.string().min(1),
    description: z.string(),
    /** One line on what the weights may be used for; without it no restriction is known. */
    licence: z.string().min(1).optional(),
    classes: z.array(classSpec).min(2),
    /** Label of points without a voxel. */
    unlabeled_id: z.int().min(0).max(65535),
    backbone: backboneSpec,
    image_encoder: imageEncoderSpec.optional(),
    /** Of bundles that find boxes. */
    detection: detectionSpec.optional(),
    graphs: z.strictObject({
      image_free: graphSpec.optional(),
      fused: graphSpec.optional(),
      image_encoder: graphSpec.optional(),
      detection: graphSpec.optional(),
    }),
    /** Provenance: data, recipe, seeds. */
    training: z.record(z.string(), z.unknown()).optional(),
    /** Measured scores and what they were measured on. */
    scores: z.record(z.string(), z.unknown()).optional(),
  })
  .check((context) => {
    const { classes, unlabeled_id, graphs, image_encoder, detection, backbone } = context.value;
    const complain = (path: (string | number)[], message: string) => {
      context.issues.push({ code: "custom", path, message, input: context.value });
    };
    const ids = new Set(classes.map((entry) => entry.id));
    if (ids.size !== classes.length) complain(["classes"], "every class must have an id of its own");
    if (ids.has(unlabeled_id)) complain(["unlabeled_id"], `${unlabeled_id} is also the id of a class`);
    if (graphs.image_free === undefined && graphs.fused === undefined) {
      complain(["graphs"], "at least one of image_free and fused is needed");
    }
    const encoderParts = [graphs.fused, graphs.image_encoder, image_encoder];
    if (new Set(encoderParts.map((part) => part === undefined)).size > 1) {
      complain(["graphs"], "fused, image_encoder and the image_encoder description belong together");
    }
    if ((detection === undefined) !== (graphs.detection === undefined)) {
      complain(["graphs"], "the graph detection and the description of the detection belong together");
    }
    if (detection !== undefined && detection.stage >= backbone.stages.length) {
      complain(["detection", "stage"], `the backbone has stages 0 to ${backbone.stages.length - 1}`);
    }
    if (
      image_encoder &&
      (image_encoder.input_height % image_encoder.patch_size ||
        image_encoder.input_width % image_encoder.patch_size)
    ) {
      complain(
        ["image_encoder"],
        `input ${image_encoder.input_width}x${image_encoder.input_height} is not a multiple of patch_size ${image_encoder.patch_size}`,
      );
    }
    for (const [index, stage] of backbone.stages.entries()) {
      if (stage.position_encoding === "convolution" && stage.attention && !stage.convolution) {
        complain(
          ["backbone", "stages", index],
          "attention with position_encoding 'convolution' needs convolution: true",
        );
      }
    }
  });

export type BundleManifest = z.infer<typeof bundleManifestSchema>;
export type GraphSpec = z.infer<typeof graphSpec>;
export type TensorSpec = z.infer<typeof tensorSpec>;
export type ImageEncoderSpec = z.infer<typeof imageEncoderSpec>;
export type ClassSpec = z.infer<typeof classSpec>;
export type DetectionSpec = z.infer<typeof detectionSpec>;
export type GraphName = "image_free" | "fused" | "image_encoder" | "detection";
