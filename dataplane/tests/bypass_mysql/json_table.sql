-- trick: rows made of JSON
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select j.note from cards, json_table(json_array(pan), '$[*]' columns (note varchar(32) path '$')) j
