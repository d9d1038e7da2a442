import { type ComponentProps, type ReactNode, useId } from "react";
import { Glyph } from "#components/ui/icon";

/** Props that tie an input to its label, help and error. */
interface FieldProps {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": true | undefined;
}

/** Label above, help below; an error replaces the help and says what would be right. */
export function Field({
  label,
  help,
  error = null,
  wide = false,
  children,
}: {
  readonly label: string;
  readonly help?: ReactNode;
  readonly error?: string | null;
  readonly wide?: boolean;
  readonly children: (props: FieldProps) => ReactNode;
}) {
  const id = useId();
  const below = `${id}-below`;
  const said = error !== null || help !== undefined;
  return (
    <div className={wide ? "field wide" : "field"}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        "aria-describedby": said ? below : undefined,
        "aria-invalid": error === null ? undefined : true,
      })}
      {error !== null ? (
        <p className="help bad" id={below} role="alert">
          <Glyph name="failed" />
          {error}
        </p>
      ) : help !== undefined ? (
        <p className="help" id={below}>
          {help}
        </p>
      ) : null}
    </div>
  );
}

/**
 * A `Field` of one line of text. What goes in is names, addresses and numbers,
 * so nothing is completed or spell-checked unless asked for; `mono` is for what is read digit by digit.
 */
export function TextField({
  label,
  help,
  error = null,
  mono = false,
  onChange,
  ...input
}: {
  readonly label: string;
  readonly help?: ReactNode;
  readonly error?: string | null;
  readonly mono?: boolean;
  readonly value: string;
  readonly onChange: (text: string) => void;
} & Readonly<Pick<ComponentProps<"input">, "autoFocus" | "inputMode" | "maxLength" | "placeholder" | "spellCheck">>) {
  return (
    <Field label={label} help={help} error={error}>
      {(props) => (
        <input
          autoComplete="off"
          spellCheck={false}
          {...input}
          {...props}
          className={mono ? "inp mono" : "inp"}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** A refusal that belongs to no single input. */
export function FormProblem({ message }: { readonly message: string | null }) {
  if (message === null) return null;
  return (
    <p className="form-problem" role="alert">
      <Glyph name="failed" />
      <span>{message}</span>
    </p>
  );
}
