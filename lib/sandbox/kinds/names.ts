import { invalid } from "./causes.ts";
import type { Cause } from "./definition.ts";
import { strings } from "./json.ts";

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const KEY_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035_RULE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const VALUE_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const KEY_RULE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const tooLong = (field: string, value: string, most: number) =>
  invalid(field, value, `must be no more than ${most} characters`);

/** RFC 1123 label: container and port names, namespaces. */
export function checkLabelName(field: string, value: string): readonly Cause[] {
  if (value.length > 63) return [tooLong(field, value, 63)];
  return LABEL.test(value) ? [] : [invalid(field, value, LABEL_RULE)];
}

/** DNS-1035 label: names of Services. */
export function checkServiceName(field: string, value: string): readonly Cause[] {
  if (value.length > 63) return [tooLong(field, value, 63)];
  return LABEL_1035.test(value) ? [] : [invalid(field, value, LABEL_1035_RULE)];
}

/** RFC 1123 subdomain: names of nearly everything else. */
export function checkSubdomain(field: string, value: string): readonly Cause[] {
  if (value.length > 253) return [tooLong(field, value, 253)];
  return SUBDOMAIN.test(value) ? [] : [invalid(field, value, SUBDOMAIN_RULE)];
}

/** Keys and values of a label map (metadata.labels, selectors). */
export function checkLabels(field: string, labels: unknown): readonly Cause[] {
  return Object.entries(strings(labels)).flatMap(([key, value]) => {
    const causes = [...checkQualifiedName(field, key)];
    if (value.length > 63) causes.push(tooLong(field, value, 63));
    else if (!VALUE.test(value)) causes.push(invalid(field, value, VALUE_RULE));
    return causes;
  });
}

/** "name" or "prefix/name", as keys of labels and annotations. */
export function checkQualifiedName(field: string, key: string): readonly Cause[] {
  const parts = key.split("/");
  const name = parts.at(-1) ?? "";
  if (parts.length > 2) {
    return [
      invalid(
        field,
        key,
        "a qualified name must consist of alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain prefix and '/'",
      ),
    ];
  }
  const prefix = parts.length === 2 ? (parts[0] ?? "") : null;
  if (prefix === "") return [invalid(field, key, "prefix part must be non-empty")];
  if (prefix !== null && !SUBDOMAIN.test(prefix)) return [invalid(field, key, `prefix part ${SUBDOMAIN_RULE}`)];
  if (name === "") return [invalid(field, key, "name part must be non-empty")];
  if (name.length > 63) return [invalid(field, key, "name part must be no more than 63 characters")];
  return KEY_NAME.test(name) ? [] : [invalid(field, key, KEY_RULE)];
}
