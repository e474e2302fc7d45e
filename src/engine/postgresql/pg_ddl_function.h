/* The function of the event triggers, sluice_ddl.tell(). In the user's transaction it writes one message "sluice.ddl" (JSON) to the log for each table that a
 * command made or changed, each command that dropped tables, indexes or constraints, and each table that ALTER COLUMN TYPE wrote anew. It never makes a command
 * fail: what it cannot tell is told as such. Its texts are the server's own of what is there after the command (pg_get_indexdef and so on); the user's
 * statement, which may be one of many, is for messages to people only.
 *
 *   {"event":"ddl", "tag", "schema", "table", "oid", "identity", "made", "renamed", "command", "partition_of":[schema, table] or null,
 *    "columns":[[name, type oid, modifier, key]], "changed":[[name, default or null, not null, identity]], "comments":[[column or null, text or null]],
 *    "indexes":[{"name","unique","plain","def","columns"}], "constraints":[{"name","type","def","plain","columns","parent":[schema, table],"parent_columns"}]}
 *   {"event":"drop", "tag", "command", "objects":[[type, [schema, ...]]]}
 *   {"event":"attached", "tag", "command", "schema", "table", "partition_of"}: a partition that was attached with rows
 *   {"event":"rewrite", "tag", "command", "schema", "table", "partition_of", "columns":[name], "using"}
 *   {"event":"failed", "tag", "command", "error"}
 * and in each "token", what the table sluice_ddl.seal has: everybody may write messages of any name to the log, but only the function reads that table.
 *
 * changed, indexes and constraints have what the transaction has made or changed so far: rows of the catalog whose xmin is not older than it. Measured on
 * PostgreSQL 15: what pg_event_trigger_ddl_commands() gives for ALTER TABLE is the table alone; RENAME CONSTRAINT gives the constraint. */
#ifndef ENGINE_POSTGRESQL_PG_DDL_FUNCTION_H
#define ENGINE_POSTGRESQL_PG_DDL_FUNCTION_H

#define FRESH(alias) "age(" alias ".xmin) <= age(pg_current_xact_id()::xid)"
#define COMMAND "left(current_query(), 1000)"
#define ROOT_OF(alias)                                                                                                                          \
    "(SELECT jsonb_build_array(rn.nspname, rc.relname) FROM pg_class rc JOIN pg_namespace rn ON rn.oid = rc.relnamespace WHERE " alias ".relispartition " \
    "AND rc.oid = pg_partition_root(" alias ".oid))"
#define NAMES_OF(relation, numbers, count)                                                                                                      \
    "(SELECT jsonb_agg(a.attname ORDER BY u.o) FROM unnest(" numbers ") WITH ORDINALITY u(k, o) LEFT JOIN pg_attribute a ON a.attrelid = " relation \
    " AND a.attnum = u.k WHERE u.o <= " count ")"

/* The tables that a command is about, each once. */
#define TOUCHED                                                                                                                                 \
    "(SELECT coalesce(i.indrelid, k.conrelid, c.oid) AS rel, bool_or(d.command_tag IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO') AND i.indexrelid IS NULL) AS made, "  \
    "string_agg(CASE WHEN k.oid IS NOT NULL OR (d.command_tag = 'ALTER INDEX' AND d.objid = i.indexrelid) THEN d.object_identity END, ', ') AS renamed, "     \
    "jsonb_agg(d.objsubid) FILTER (WHERE d.command_tag = 'COMMENT' AND i.indexrelid IS NULL AND k.oid IS NULL) AS commented "                     \
    "FROM pg_event_trigger_ddl_commands() d LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid "                        \
    "LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid "         \
    "AND d.command_tag = 'ALTER TABLE' WHERE NOT d.in_extension AND d.schema_name IS DISTINCT FROM 'pg_temp' GROUP BY 1)"

#define INDEXES                                                                                                                                 \
    "(SELECT jsonb_agg(jsonb_build_object('name', x.relname, 'unique', i.indisunique, 'plain', i.indpred IS NULL AND i.indexprs IS NULL, "         \
    "'def', pg_get_indexdef(i.indexrelid), 'columns', " NAMES_OF("i.indrelid", "i.indkey::int2[]", "i.indnkeyatts") ") ORDER BY x.relname) "       \
    "FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid AND i.indisvalid AND " FRESH("i")                            \
    " AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')))"

#define CONSTRAINTS                                                                                                                             \
    "(SELECT jsonb_agg(jsonb_build_object('name', k.conname, 'type', k.contype, 'def', pg_get_constraintdef(k.oid), "                              \
    "'plain', NOT k.condeferrable AND k.contype <> 'x', 'columns', " NAMES_OF("k.conrelid", "k.conkey", "10000") ", "                              \
    "'parent', (SELECT jsonb_build_array(pn.nspname, p.relname) FROM pg_class p JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE p.oid = k.confrelid), "  \
    "'parent_columns', " NAMES_OF("k.confrelid", "k.confkey", "10000") ") ORDER BY k.contype = 'f', k.conname) FROM pg_constraint k "                \
    "WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x', 'c', 'f') AND k.conparentid = 0 AND k.conislocal AND " FRESH("k") ")"

#define COLUMNS                                                                                                                                 \
    "(SELECT jsonb_agg(jsonb_build_array(a.attname, a.atttypid::bigint, a.atttypmod, c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i "      \
    "WHERE i.indrelid = c.oid AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END "                 \
    "AND a.attnum = ANY (i.indkey::int2[]))) ORDER BY a.attnum) FROM pg_attribute a "                                                              \
    "WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')"

#define CHANGED                                                                                                                                 \
    "(SELECT jsonb_agg(jsonb_build_array(a.attname, pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.attidentity) ORDER BY a.attnum) "             \
    "FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = c.oid AND a.attnum > 0 "       \
    "AND NOT a.attisdropped AND a.attgenerated = '' AND (" FRESH("a") " OR " FRESH("d") "))"

#define COMMENTS                                                                                                                                \
    "(SELECT jsonb_agg(jsonb_build_array(a.attname, t.description)) FROM jsonb_array_elements_text(w.commented) s(sub) LEFT JOIN pg_attribute a "  \
    "ON a.attrelid = c.oid AND a.attnum = sub::int AND sub::int > 0 LEFT JOIN pg_description t ON t.classoid = 'pg_class'::regclass "              \
    "AND t.objoid = c.oid AND t.objsubid = sub::int)"

/* A statement inside of functions stands in the error context, but for those of SQL functions; what is not seen may have had a USING. */
#define WITH_USING "~* '\\mtype\\M[^;]*\\musing\\M'"

#define EMIT(said) "PERFORM pg_logical_emit_message(true, 'sluice.ddl', (" said " || jsonb_build_object('token', (SELECT token FROM sluice_ddl.seal)))::text)"

/* Tables that came to be partitions. The command may stand in a function, whose text is not seen; one that is made with CREATE TABLE in its transaction has only rows that
 * the log has, but is taken for one that was attached where both are done in one transaction. */
#define ATTACHED                                                                                                                                \
    "SELECT c.oid::regclass AS rel, jsonb_build_object('event', 'attached', 'tag', tg_tag, 'command', " COMMAND ", 'schema', n.nspname, "          \
    "'table', c.relname, 'partition_of', " ROOT_OF("c") ") AS said FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid AND c.relispartition "  \
    "AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p' JOIN pg_namespace n ON n.oid = c.relnamespace WHERE " FRESH("h")

/* In parts, as a compiler takes no longer texts. */
static const char *const pg_ddl_function[] = {
    "CREATE OR REPLACE FUNCTION sluice_ddl.tell() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = off "
    "AS $tell$\n"
    "DECLARE said jsonb; stack text; inner_text text; attached record; has_rows boolean;\n"
    "BEGIN\n"
    "IF NOT EXISTS (SELECT FROM sluice_ddl.job) THEN RETURN; END IF;\n"
    "IF tg_event = 'ddl_command_end' THEN\n"
    "FOR said IN SELECT jsonb_build_object('event', 'ddl', 'tag', tg_tag, 'schema', n.nspname, 'table', c.relname, 'oid', c.oid::bigint, "
    "'identity', c.relreplident, 'made', w.made, 'renamed', w.renamed, 'command', " COMMAND ", 'partition_of', " ROOT_OF("c") ", "
    "'columns', ", COLUMNS, ", 'changed', ", CHANGED, ", 'comments', ", COMMENTS, ", 'indexes', ", INDEXES, ", 'constraints', ", CONSTRAINTS, ") "
    "FROM ", TOUCHED, " w JOIN pg_class c ON c.oid = w.rel AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p' "
    "JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY c.oid LOOP\n"
    EMIT("said") "; END LOOP;\n"
    "IF tg_tag = 'ALTER TABLE' THEN\n"
    "GET DIAGNOSTICS stack = PG_CONTEXT;\n"
    "IF strpos(stack, chr(10)) > 0 OR current_query() ~* '\\mattach\\M' THEN\n"
    "FOR attached IN ", ATTACHED, " LOOP\n"
    "EXECUTE format('SELECT EXISTS (SELECT FROM %s)', attached.rel) INTO has_rows;\n"
    "IF has_rows THEN " EMIT("attached.said") "; END IF;\n"
    "END LOOP; END IF; END IF;\n"
    "ELSIF tg_event = 'sql_drop' THEN\n"
    "SELECT jsonb_build_object('event', 'drop', 'tag', tg_tag, 'command', " COMMAND ", 'objects', jsonb_agg(jsonb_build_array(object_type, "
    "to_jsonb(address_names)) ORDER BY object_type DESC)) INTO said FROM pg_event_trigger_dropped_objects() WHERE NOT is_temporary "
    "AND schema_name NOT LIKE 'pg\\_t%' AND (object_type IN ('table', 'table constraint') OR (object_type = 'index' AND (original OR tg_tag = 'ALTER TABLE')));\n"
    "IF said ->> 'objects' IS NOT NULL THEN " EMIT("said") "; END IF;\n"
    "ELSIF pg_event_trigger_table_rewrite_reason() & 4 <> 0 THEN\n"
    "GET DIAGNOSTICS stack = PG_CONTEXT;\n"
    "inner_text := substr(stack, nullif(strpos(stack, chr(10)), 0));\n"
    "SELECT jsonb_build_object('event', 'rewrite', 'tag', tg_tag, 'command', " COMMAND ", 'schema', n.nspname, 'table', c.relname, "
    "'partition_of', " ROOT_OF("c") ", 'columns', (SELECT jsonb_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid "
    "AND a.attnum > 0 AND NOT a.attisdropped AND " FRESH("a") "), 'using', CASE WHEN inner_text IS NULL THEN coalesce(current_query(), 'type using') "
    WITH_USING " ELSE inner_text " WITH_USING " OR inner_text !~* 'alter\\s+table' END) INTO said "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_event_trigger_table_rewrite_oid() AND c.relpersistence = 'p';\n"
    "IF said IS NOT NULL THEN " EMIT("said") "; END IF;\n"
    "END IF;\n"
    "EXCEPTION WHEN OTHERS THEN\n"
    "BEGIN " EMIT("jsonb_build_object('event', 'failed', 'tag', tg_tag, 'command', " COMMAND ", 'error', sqlerrm)") "; EXCEPTION WHEN OTHERS THEN NULL; END;\n"
    "END $tell$",
};

#endif
