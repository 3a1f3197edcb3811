-- trick: as UTF-16 in bytea
-- expect: masked
-- unlabelled: masked
-- decode: hex-digits

select string_agg('\x00'::bytea || d::bytea, '') from cards, string_to_table(pan, null) d where id = 1
