-- trick: json inside json
-- expect: masked
-- unlabelled: masked
-- decode: digits

select to_json(to_json(c)::text), json_build_object('a', json_build_object('pan', pan)::text)::text from cards c
