-- trick: casts between text types
-- expect: masked
-- unlabelled: masked
-- decode: digits

select pan::varchar(20), pan::bpchar, pan::name, cast(pan as char(19)), pan::"char"::text || substr(pan, 2) from cards
