import type { Finding } from '../../shared/finding.ts';

/** A finding and the item that it is about, to look at it again. */
export interface Doubt<Item> {
  readonly item: Item;
  readonly finding: Finding;
}
