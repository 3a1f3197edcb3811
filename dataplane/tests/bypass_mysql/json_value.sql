-- trick: from a JSON object again
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select json_value(json_object('a', pan), '$.a'), json_unquote(json_quote(pan)), json_extract(json_array(pan), '$[0]') from cards
