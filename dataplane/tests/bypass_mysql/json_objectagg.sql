-- trick: all of them in a JSON object
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select json_objectagg(pan, pan_number) from cards
