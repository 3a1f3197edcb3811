-- trick: numbers inside json
-- expect: masked
-- unlabelled: masked
-- decode: digits

select json_build_object('n', pan_number), to_jsonb(pan_number), jsonb_build_array(pan_number, pan_number::numeric) from cards
