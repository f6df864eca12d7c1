import { describe, expect, test } from "@jest/globals";
import { TableArena, TableArenaPool } from "./TableArena.js";

/** What sending the buffers to a worker does to them: here they are detached, there they live on. */
function transfer(arena: TableArena, ...names: string[]): [name: string, buffer: ArrayBuffer][] {
  const buffers = names.map((name) => arena.int32(name, 1).buffer);
  const away = structuredClone(buffers, { transfer: buffers });
  return names.map((name, index) => [name, away[index]!]);
}

describe("TableArena", () => {
  test("gives views of exactly the length that is asked for", () => {
    const arena = new TableArena();
    expect(arena.int32("a", 0)).toHaveLength(0);
    expect(arena.int32("a", 1000)).toHaveLength(1000);
    expect(arena.int32("a", 10)).toHaveLength(10);
  });

  test("reuses a buffer as long as it is large enough", () => {
    const arena = new TableArena();
    const { buffer } = arena.int32("a", 1000);
    expect(arena.int32("a", 1100).buffer).toBe(buffer);
    expect(arena.int32("a", 1).buffer).toBe(buffer);
    expect(arena.int32("b", 1000).buffer).not.toBe(buffer);
    expect(arena.int32("a", 2000).buffer).not.toBe(buffer);
  });

  test("works again with the buffers that come back from another thread", () => {
    const arena = new TableArena();
    arena.int32("a", 100).fill(1);
    arena.int32("b", 200).fill(2);
    const away = transfer(arena, "b");
    arena.giveBack(away);
    expect(arena.int32("a", 100)[99]).toBe(1);
    expect(arena.int32("b", 200).buffer).toBe(away[0]![1]);
    expect(arena.int32("b", 200)[199]).toBe(2);
  });

  test("allocates again when buffers never come back", () => {
    const arena = new TableArena();
    arena.int32("a", 100);
    transfer(arena, "a");
    expect(arena.int32("a", 0)).toHaveLength(0);
    expect(arena.int32("a", 100).fill(3)[99]).toBe(3);
  });

  test("refuses buffers that are not its own missing ones", () => {
    const arena = new TableArena();
    arena.int32("a", 100);
    arena.int32("b", 100);
    const away = transfer(arena, "a", "b");
    expect(() => {
      arena.giveBack([["c", away[0]![1]]]);
    }).toThrow("table c, which there is not");
    arena.int32("a", 100);
    expect(() => {
      arena.giveBack(away);
    }).toThrow("table a, whose own buffer is not away");
    const [, buffer] = away[1]!;
    structuredClone(buffer, { transfer: [buffer] });
    expect(() => {
      arena.giveBack([["b", buffer]]);
    }).toThrow("table b has itself been transferred");
  });
});

describe("TableArenaPool", () => {
  test("makes an arena only when none is idle", () => {
    const pool = new TableArenaPool();
    const first = pool.acquire();
    const second = pool.acquire();
    expect(second).not.toBe(first);
    pool.release(first);
    expect(pool.acquire()).toBe(first);
  });

  test("puts the buffers back that an arena is released with", () => {
    const pool = new TableArenaPool();
    const arena = pool.acquire();
    arena.int32("a", 100);
    const away = transfer(arena, "a");
    pool.release(arena, away);
    expect(pool.acquire().int32("a", 100).buffer).toBe(away[0]![1]);
  });

  test("refuses an arena that is idle already", () => {
    const pool = new TableArenaPool();
    const arena = pool.acquire();
    pool.release(arena);
    expect(() => {
      pool.release(arena);
    }).toThrow("released twice");
  });
});
