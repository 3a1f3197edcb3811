-- trick: halves of rows made of JSON
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select j.note from cards c, json_table(json_array(substr(pan, 1, 8), substr(pan, 9)), '$[*]' columns (note varchar(32) path '$')) j where c.id = 1
