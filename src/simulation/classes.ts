/** A class of points and pixels. */
export interface SemanticClass {
  readonly id: ClassId;
  readonly name: string;
  /** 0..255 */
  readonly color: readonly [red: number, green: number, blue: number];
}

/** Ids of the learning map of SemanticKITTI's `semantic-kitti.yaml`; 0 is no class. */
export const ClassId = {
  UNLABELED: 0,
  CAR: 1,
  BICYCLE: 2,
  MOTORCYCLE: 3,
  TRUCK: 4,
  OTHER_VEHICLE: 5,
  PERSON: 6,
  BICYCLIST: 7,
  MOTORCYCLIST: 8,
  ROAD: 9,
  PARKING: 10,
  SIDEWALK: 11,
  OTHER_GROUND: 12,
  BUILDING: 13,
  FENCE: 14,
  VEGETATION: 15,
  TRUNK: 16,
  TERRAIN: 17,
  POLE: 18,
  TRAFFIC_SIGN: 19,
} as const;
export type ClassId = (typeof ClassId)[keyof typeof ClassId];

/** The 19 classes and "unlabeled" by id, with names and colours of `semantic-kitti.yaml`. */
export const SEMANTIC_KITTI_CLASSES: readonly SemanticClass[] = [
  { id: ClassId.UNLABELED, name: "unlabeled", color: [0, 0, 0] },
  { id: ClassId.CAR, name: "car", color: [100, 150, 245] },
  { id: ClassId.BICYCLE, name: "bicycle", color: [100, 230, 245] },
  { id: ClassId.MOTORCYCLE, name: "motorcycle", color: [30, 60, 150] },
  { id: ClassId.TRUCK, name: "truck", color: [80, 30, 180] },
  { id: ClassId.OTHER_VEHICLE, name: "other-vehicle", color: [0, 0, 255] },
  { id: ClassId.PERSON, name: "person", color: [255, 30, 30] },
  { id: ClassId.BICYCLIST, name: "bicyclist", color: [255, 40, 200] },
  { id: ClassId.MOTORCYCLIST, name: "motorcyclist", color: [150, 30, 90] },
  { id: ClassId.ROAD, name: "road", color: [255, 0, 255] },
  { id: ClassId.PARKING, name: "parking", color: [255, 150, 255] },
  { id: ClassId.SIDEWALK, name: "sidewalk", color: [75, 0, 75] },
  { id: ClassId.OTHER_GROUND, name: "other-ground", color: [175, 0, 75] },
  { id: ClassId.BUILDING, name: "building", color: [255, 200, 0] },
  { id: ClassId.FENCE, name: "fence", color: [255, 120, 50] },
  { id: ClassId.VEGETATION, name: "vegetation", color: [0, 175, 0] },
  { id: ClassId.TRUNK, name: "trunk", color: [135, 60, 0] },
  { id: ClassId.TERRAIN, name: "terrain", color: [150, 240, 80] },
  { id: ClassId.POLE, name: "pole", color: [255, 240, 150] },
  { id: ClassId.TRAFFIC_SIGN, name: "traffic-sign", color: [255, 0, 0] },
];
