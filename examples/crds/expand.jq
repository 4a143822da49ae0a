# expand.jq - CustomResourceDefinitions from their short form; `expand` runs it.
#
# A field is a word, what bounds it, and after a bar its description:
#   name!: string 1..63 /^[a-z]+$/ =web | What it is called.     ("!": required)
#   ports: Port[] ..16 @name,protocol                            a list that is a map with these keys
# Words: string int int32 int64 number bool date bytes quantity duration intstr strings any open resource,
# or the Name of a part; WORD[] is a list, WORD{} a map.  Then MIN..MAX, /PATTERN/, {ENUM,...}, =DEFAULT, ?
# (nullable), @set, @atomic, @KEY,...  What needs more is an object: `is` (such a text), `about` (a description),
# `fields`, `rules`, `values`, and whatever a schema may have, as it is.

def words: {
  string: {type: "string"}, int: {type: "integer"}, number: {type: "number"}, bool: {type: "boolean"},
  int32: {type: "integer", format: "int32"}, int64: {type: "integer", format: "int64"},
  date: {type: "string", format: "date-time"}, bytes: {type: "string", format: "byte"},
  duration: {type: "string", format: "duration"},
  strings: {type: "object", additionalProperties: {type: "string"}},
  intstr: {anyOf: [{type: "integer"}, {type: "string"}], "x-kubernetes-int-or-string": true},
  quantity: {anyOf: [{type: "integer"}, {type: "string"}], "x-kubernetes-int-or-string": true,
    pattern: "^[+-]?([0-9]+|[0-9]+\\.[0-9]*|\\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$"},
  any: {"x-kubernetes-preserve-unknown-fields": true},
  open: {type: "object", "x-kubernetes-preserve-unknown-fields": true},
  resource: {type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}
};

def literal: . as $text | try fromjson catch $text;

# What a bound is called depends on what it bounds.
def bound($side; $n): if $n == "" then {} else {(
    $side + (if .type == "string" then "Length" elif .type == "array" then "Items"
      elif .type == "object" then "Properties" else "imum" end)): ($n | tonumber)} end;

def extra($text):
  if $text == "?" then . + {nullable: true}
  elif $text[:1] == "/" then . + {pattern: $text[1:-1]}
  elif $text[:1] == "{" then . + {enum: ($text[1:-1] / "," | map(literal))}
  elif $text[:1] == "=" then . + {default: ($text[1:] | literal)}
  elif $text == "@set" or $text == "@atomic" then
    if .type == "array" then . + {"x-kubernetes-list-type": $text[1:]} else . + {"x-kubernetes-map-type": $text[1:]} end
  elif $text[:1] == "@" then . + {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ($text[1:] / ",")}
  else ($text | capture("^(?<min>-?[0-9]*)\\.\\.(?<max>-?[0-9]*)$")) as $b | . + bound("min"; $b.min) + bound("max"; $b.max)
  end;

def schema($parts):
  def word: # of a text without its description
    if endswith("[]") then {type: "array", items: (.[:-2] | word)}
    elif endswith("{}") then {type: "object", additionalProperties: (.[:-2] | word)}
    elif words[.] then words[.]
    elif $parts[.] then $parts[.] | schema($parts)
    else error("no such word or part: " + .) end;
  def text:
    (index(" | ") as $bar | if $bar then [.[:$bar], .[$bar + 3:]] else [., null] end) as [$what, $about]
    | ($what / " ") as $all
    | (if $about then {description: $about} else {} end) as $description
    | reduce $all[1:][] as $one ($all[0] | word; extra($one)) + $description;
  if type == "string" then text
  elif type == "boolean" then .
  else
    (if .is then .is | text elif .fields then {type: "object"} else {} end)
    + (if .fields then {
        properties: (.fields | with_entries(.key |= rtrimstr("!") | .value |= schema($parts))),
        required: [.fields | keys_unsorted[] | select(endswith("!")) | rtrimstr("!")]} else {} end
      | if .required == [] then del(.required) else . end)
    + (if .values then {additionalProperties: (.values | schema($parts))} else {} end)
    + (if .items then {items: (.items | schema($parts))} else {} end)
    + (if .rules then {"x-kubernetes-validations": .rules} else {} end)
    + (if .about then {description: .about} else {} end)
    + del(.is, .fields, .values, .items, .rules, .about)
  end;

# YAML: what fits on a line is on one, the rest is a block.
def scalar: if type == "string" and test("^[A-Za-z][A-Za-z0-9 ./()-]*[A-Za-z0-9.)]$")
    and (test("^(y|n|yes|no|on|off|true|false|null)$"; "i") | not) then . else tojson end;
def flow: if type == "object" then "{" + (to_entries | map((.key | scalar) + ": " + (.value | flow)) | join(", ")) + "}"
  elif type == "array" then "[" + (map(flow) | join(", ")) + "]" else scalar end;
def block($indent):
  def below: flow as $line | if ($line | length) + ($indent | length) <= 100 or type == "string" then " " + $line
    else "\n" + block($indent + "  ") end;
  if type == "object" then to_entries | map($indent + (.key | scalar) + ":" + (.value | below)) | join("\n")
  else map(flow as $line | if type != "object" or ($line | length) + ($indent | length) <= 100 then $indent + "- " + $line
    else $indent + "-" + (block($indent + "  ") | .[($indent | length) + 1:]) end) | join("\n") end;

(map(select(.kind == "Parts").parts) | add // {}) as $parts
| .[] | select(.kind != "Parts")
| (.spec.versions[]?.schema.openAPIV3Schema) |= schema($parts)
| "---", block("")
