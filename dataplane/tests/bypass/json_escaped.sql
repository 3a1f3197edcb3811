-- trick: escapes of unicode inside json
-- expect: masked
-- unlabelled: out-of-reach
-- decode: escapes

select ('{"a": "' || regexp_replace(pan, '(.)', '\\u003\1', 'g') || '"}')::json from cards
