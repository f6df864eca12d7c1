/**
 * `describe` over a folder of real sensor data, which this repository does not carry: `DITR_REAL_DATA`
 * names where it lies, else it is looked for beside the repository. Skipped, by name, where it is absent.
 * @param relative folder below the data folder, for instance "kitti_raw"
 * @param body receives the absolute path
 */
export declare function describeWithRealData(
  name: string,
  relative: string,
  body: (folder: string) => void,
): void;
