import { describe } from '../base/tensor.ts';
import type { Activation } from '../cells/activations.ts';
import type { Value } from '../graph/value.ts';
import { type Making, OperatorNode } from '../operators/node.ts';
import type { Refusal } from '../operators/value.ts';
import { kerasRefusal } from './refuse.ts';

/** A call of a layer, which its steps name in errors. */
export class Place {
  readonly name: string;
  readonly className: string;

  constructor(name: string, className: string) {
    this.name = name;
    this.className = className;
  }

  get path(): string {
    return `layer ${describe(this.name)} (${this.className})`;
  }
}

/** Attributes by ONNX's names; `functions` are those of a recurrent node. */
export type Attributes = Readonly<Record<string, unknown>> & { readonly functions?: readonly Activation[] };

/** An operator of the graph that a layer becomes. */
export class KerasOperatorNode extends OperatorNode {
  readonly outputs: readonly string[];
  readonly present: readonly boolean[];
  private readonly _place: Place;
  private readonly _attributes: Attributes;

  /** @param present for each input, whether it is given */
  constructor(
    place: Place,
    attributes: Attributes,
    constants: (Value | undefined)[],
    present: readonly boolean[],
    outputs: number,
    making: Making,
  ) {
    super(constants, true, making);
    this.outputs = Array.from({ length: outputs }, (_, i) => `${i}`);
    this.present = present;
    this._place = place;
    this._attributes = attributes;
  }

  get opType(): string {
    return this._place.className;
  }

  get name(): string {
    return this._place.name;
  }

  get path(): string {
    return this._place.path;
  }

  override get functions(): readonly Activation[] | undefined {
    return this._attributes.functions;
  }

  protected get refusal(): Refusal {
    return kerasRefusal;
  }

  protected attribute(name: string): unknown {
    return this._attributes[name];
  }

  tensor(): undefined {
    return undefined;
  }
}
