-- trick: a large object
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits hex

select lo_unlink(oid) from pg_largeobject_metadata where oid = 424242

select lo_from_bytea(424242, pan::bytea) from cards where id = 1

select convert_from(lo_get(424242), 'UTF8'), lo_get(424242)
