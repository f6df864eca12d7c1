export interface LockedPackage {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

export interface Platform {
  readonly os: string;
  readonly cpu: string;
  readonly libc?: string | undefined;
}

export declare function thisPlatform(): Platform;

export declare function productionPackages(
  packages: Readonly<Record<string, LockedPackage>>,
  platform?: Platform,
): { readonly places: readonly string[]; readonly problems: readonly string[] };
