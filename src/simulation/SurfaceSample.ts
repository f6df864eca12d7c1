/** What a surface is at one place; one object is reused for many samples. */
export class SurfaceSample {
  /** Linear albedo, 0..1. */
  red = 0;
  green = 0;
  blue = 0;
  /** Share of the LiDAR's light that comes back at normal incidence, 0..1. */
  reflectance = 0;
  /** Share of light that is mirrored (windows): the camera sees the sky in it, the LiDAR often nothing. */
  mirror = 0;

  set(red: number, green: number, blue: number): void {
    this.red = red;
    this.green = green;
    this.blue = blue;
  }

  scale(factor: number): void {
    this.red *= factor;
    this.green *= factor;
    this.blue *= factor;
  }
}
