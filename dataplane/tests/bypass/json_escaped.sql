-- trick: escapes of unicode inside json
-- expect: masked
-- unlabelled: masked
-- decode: escapes

select ('{"a": "' || regexp_replace(pan, '(.)', '\\u003\1', 'g') || '"}')::json from cards
