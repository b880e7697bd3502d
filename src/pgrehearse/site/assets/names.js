/* What a value of a parameter means, by its kind: the rule of pgrehearse/text/written_names.py, held to it by
   tests/browser/test_names.py. `pgrehearseNames.written(kind, value)` is what the cells expect; Unsure says what is no
   name. */
var pgrehearseNames = (function () {
  "use strict";

  /* What quote_ident quotes besides: every word that pg_get_keywords() says is reserved in some way. */
  const KEYWORDS = new Set(
    ("all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case " +
      "cast char character check coalesce collate collation column concurrently constraint create cross " +
      "current_catalog current_date current_role current_schema current_time current_timestamp current_user dec " +
      "decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign " +
      "freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect " +
      "interval into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query " +
      "json_scalar json_serialize json_table json_value lateral leading least left like limit localtime " +
      "localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric offset on " +
      "only or order out outer overlaps overlay placing position precision primary real references returning right " +
      "row select session_user setof similar smallint some substring symmetric system_user table tablesample then " +
      "time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when " +
      "where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi " +
      "xmlroot xmlserialize xmltable").split(" "));
  const PLAIN = /^[a-z_][a-z0-9_]*$/;
  const LONGEST = 63;
  const MOST = 500;
  const IN_QUOTES = /^"(?:[^"]|"")*"/;
  /* What the server reads as a name without quotes. */
  const WORD = /^[A-Za-z_\u{80}-\u{10ffff}][A-Za-z0-9_$\u{80}-\u{10ffff}]*$/u;

  const spaced = (pattern) => new RegExp(pattern.replaceAll(" ", "[ \\t\\n]+").replaceAll("~", "[ \\t\\n]*"), "i");
  const SUFFIX = spaced("(?:~\\((?:[a-z0-9_,.+-]| )*\\))?(?:~\\[~\\d*~\\])*$");
  const FIELD = "(?:year|month|day|hour|minute|second(?:~\\(~\\d+~\\))?)";
  /* The types of PostgreSQL itself, which are words of SQL: they may be written small or in capitals. */
  const OWN_TYPE = spaced(
    "^(?:(?:bit|char|character|nchar|national (?:char|character)) varying|national (?:char|character)" +
      "|double precision|interval " + FIELD + "(?: to " + FIELD + ")?" +
      "|(?:time|timestamp)(?:~\\(~\\d+~\\))? with(?:out)? time zone" +
      "|bigint|bit|bool|boolean|box|bpchar|bytea|char|character|cidr|circle|date|date(?:multi)?range" +
      "|dec|decimal|float|float[48]|inet|int|int[248]|integer|interval|int[48](?:multi)?range" +
      "|json|jsonb|jsonpath|line|lseg|macaddr|macaddr8|money|name|nchar|num(?:multi)?range|numeric|oid|path|pg_lsn" +
      "|point|polygon|real|refcursor|reg(?:class|collation|config|dictionary|namespace|oper|operator|proc|procedure" +
      "|role|type)|smallint|text|tid|time|timestamp|timestamptz|timetz|tsquery|ts(?:tz)?(?:multi)?range|tsvector" +
      "|txid_snapshot|uuid|varbit|varchar|xid|xid8|xml)" +
      "(?:~\\((?:[\\d,+-]| )*\\))?(?:(?:~\\[~\\d*~\\])*| array(?:~\\[~\\d+~\\])?)$",
  );

  class Unsure extends Error {}

  const left = (text) => text.replace(/^[ \t\n]+/, "");
  const right = (text) => text.replace(/[ \t\n]+$/, "");
  const trim = (text) => left(right(text));
  const inQuotes = (name) => '"' + name.replaceAll('"', '""') + '"';

  /* A name that PostgreSQL can hold. */
  function held(name) {
    if (!name) throw new Unsure("a name is empty");
    if (new TextEncoder().encode(name).length > LONGEST) throw new Unsure("a name is longer than " + LONGEST + " bytes");
    return name;
  }

  /* As quote_ident writes it. */
  function quoteIdent(name) {
    held(name);
    return PLAIN.test(name) && !KEYWORDS.has(name) ? name : inQuotes(name);
  }

  /* A part of a name without its quotes. */
  function bare(part) {
    return held(part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part);
  }

  /* The schema, if any, and the name. */
  function parts(value) {
    const found = [];
    let rest = value.slice(0, MOST + 1);
    for (;;) {
      const quoted = IN_QUOTES.exec(left(rest));
      let part;
      if (quoted) {
        part = quoted[0];
        rest = left(left(rest).slice(part.length));
      } else {
        const end = rest.includes(".") ? rest.indexOf(".") : rest.length;
        part = rest.slice(0, end);
        rest = rest.slice(end);
        if (found.length) part = left(part);
        if (rest) part = right(part);
      }
      if (!part || (!quoted && left(part).startsWith('"')) || (rest && rest[0] !== ".")) {
        throw new Unsure("this is no name with or without a schema; write double quotes around a whole part");
      }
      found.push(bare(part));
      if (!rest) break;
      rest = rest.slice(1);
    }
    if (found.length > 2) throw new Unsure("this has more than a schema and a name; put a name with a dot into double quotes");
    return found;
  }

  function alone(value) {
    const text = trim(value);
    if (text.startsWith('"')) {
      if (IN_QUOTES.exec(text)?.[0] !== text) throw new Unsure("this is not one name; write double quotes around all of it");
      return bare(text);
    }
    if (value.includes(".")) throw new Unsure("a name that stands alone has no schema; put one with a dot into double quotes");
    return bare(value);
  }

  /* The parts of a list without the blanks around them, each with its quotes. */
  function listed(value) {
    const found = [];
    let rest = value;
    for (;;) {
      rest = left(rest);
      const quoted = IN_QUOTES.exec(rest);
      const end = quoted ? quoted[0].length : rest.includes(",") ? rest.indexOf(",") : rest.length;
      const part = trim(rest.slice(0, end));
      rest = left(rest.slice(end));
      if (!part) throw new Unsure("this names nothing beside a comma");
      if ((!quoted && part.startsWith('"')) || (rest && rest[0] !== ",")) {
        throw new Unsure("this is no list of names; write double quotes around a whole name");
      }
      found.push(part);
      if (!rest) return found;
      rest = rest.slice(1);
    }
  }

  function names(value) {
    const found = listed(value).map(alone);
    for (const name of found) {
      if (name.includes(",") || name !== trim(name)) throw new Unsure("a list cannot hold a name with a comma or a blank at its end");
    }
    return found;
  }

  /* Those that are just names to SQL; null where there is more. */
  function namesInSql(value) {
    let found;
    try {
      found = listed(value);
    } catch (error) {
      if (!(error instanceof Unsure)) throw error;
      return null;
    }
    return found.every((one) => WORD.test(one) || IN_QUOTES.exec(one)?.[0] === one) ? found.map(bare) : null;
  }

  function typeName(value) {
    const own = trim(value);
    const small = (word) => word === word.toLowerCase() || word === word.toUpperCase();
    if (own.length < MOST && OWN_TYPE.test(own) && own.match(/[A-Za-z]+/g).every(small)) return own;
    const text = value.slice(0, MOST + 1);
    const suffix = SUFFIX.exec(text);
    const name = text.slice(0, suffix.index);
    if (/[()[\]]/.test(name.replace(/"(?:[^"]|"")*"/g, ""))) throw new Unsure("this is no type; put a name with brackets into double quotes");
    return parts(name).map(quoteIdent).join(".") + suffix[0];
  }

  function written(kind, value) {
    if (!value) return value;
    if (kind === "relation") return parts(value).map(quoteIdent).join(".");
    if (kind === "type") return typeName(value);
    if (kind === "name") return alone(value);
    if (kind === "names") return names(value).join(", ");
    if (kind === "names_or_sql") return namesInSql(value)?.map(quoteIdent).join(", ") ?? value;
    return value;
  }

  /* The names of a list of ``kind``, or null where it is more than that. */
  function listOf(kind, value) {
    return kind === "names" ? names(value) : namesInSql(value);
  }

  return { Unsure, quoteIdent, parts, listOf, written };
})();
