/** How a surface looks; `solidAppearance.ts` and `groundAppearance.ts` hold the pattern of each. */
export const Material = {
  PLAIN: 0,
  VEHICLE_PAINT: 1,
  GLASS: 2,
  FACADE: 3,
  ROOF: 4,
  BARK: 5,
  LEAVES: 6,
  PLANKS: 7,
  BARS: 8,
  MESH: 9,
  BRICK: 10,
  SIGN: 11,
  BOARD: 12,
  CLOTH: 13,
  LAMP: 14,
} as const;
export type Material = (typeof Material)[keyof typeof Material];
