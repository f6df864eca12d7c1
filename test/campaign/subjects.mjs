/** What is damaged: how many of the cases are its, and where it is defined. */
export const SUBJECTS = {
  PointCloud2: { share: 28, module: "./messageSubjects.mjs" },
  Image: { share: 12, module: "./messageSubjects.mjs" },
  CompressedImage: { share: 12, module: "./messageSubjects.mjs" },
  CameraInfo: { share: 12, module: "./messageSubjects.mjs" },
  TFMessage: { share: 12, module: "./messageSubjects.mjs" },
  LabelInfo: { share: 2, module: "./messageSubjects.mjs" },
  "MCAP, plain chunks": { share: 6, module: "./bagSubjects.mjs" },
  "MCAP, lz4 chunks": { share: 4, module: "./bagSubjects.mjs" },
  "MCAP, zstd chunks": { share: 4, module: "./bagSubjects.mjs" },
  "MCAP without chunks": { share: 3, module: "./bagSubjects.mjs" },
  "rosbag2 .db3": { share: 3, module: "./bagSubjects.mjs" },
  "MCAP in a zstd file": { share: 1, module: "./bagSubjects.mjs" },
  "metadata of splits": { share: 2, module: "./bagSubjects.mjs" },
  "metadata of zstd splits": { share: 1, module: "./bagSubjects.mjs" },
  "drive, labelled": { share: 0.06, module: "./pipelineSubjects.mjs" },
};

/** Only the subject's own module is loaded, which is what its process needs time for. */
export async function createSubject(name) {
  const { subjects } = await import(SUBJECTS[name].module);
  return subjects[name].create();
}
