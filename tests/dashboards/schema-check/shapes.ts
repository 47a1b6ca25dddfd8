// What a dashboard's JSON may be: Grafana's own types, with options and field settings that fit each panel's type.
import type * as schema from "@grafana/schema";
import type * as bargauge from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";
import type * as heatmap from "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type * as stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as statetimeline from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type * as table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as timeseries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// An enum in the types is its bare value in JSON.
type Json<T> = T extends string
  ? `${T}`
  : T extends number
    ? `${T}` extends `${infer N extends number}` ? N : T
    : T extends boolean | null | undefined
      ? T
      : T extends readonly (infer Item)[]
        ? Json<Item>[]
        : T extends object
          ? { [Key in keyof T]: Json<T[Key]> }
          : unknown;

interface PrometheusSource {
  type: "prometheus";
  uid: "${datasource}";
}

// Not in the package: the plugin's own query, as its documentation names the fields.
interface PrometheusQuery {
  refId: string;
  datasource: PrometheusSource;
  expr: string;
  legendFormat?: string;
  format: "time_series" | "table" | "heatmap";
  instant: boolean;
  range: boolean;
}

interface PrometheusAnnotation extends Omit<schema.AnnotationQuery, "target" | "datasource"> {
  datasource: PrometheusSource;
  target: PrometheusQuery;
  expr: string;
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
  step: string;
}

interface QueryVariable extends schema.VariableModel {
  definition?: string;
}

type Shown<Type extends string, Options, Custom> = Omit<
  schema.Panel,
  "type" | "options" | "fieldConfig" | "datasource" | "targets" | "title" | "description" | "gridPos" | "id"
> & {
  id: number;
  type: Type;
  title: string;
  description: string;
  gridPos: schema.GridPos;
  datasource: PrometheusSource;
  targets: PrometheusQuery[];
  options: Options;
  fieldConfig: {
    defaults: Omit<schema.FieldConfig, "custom" | "unit"> & { unit: string; custom?: Custom };
    overrides: schema.FieldConfigSource["overrides"];
  };
};

type Panel =
  | Shown<"bargauge", bargauge.Options, never>
  | Shown<"heatmap", heatmap.Options, heatmap.FieldConfig>
  | Shown<"stat", stat.Options, never>
  | Shown<"state-timeline", statetimeline.Options, statetimeline.FieldConfig>
  | Shown<"table", table.Options, table.FieldConfig>
  | Shown<"timeseries", timeseries.Options, timeseries.FieldConfig>;

export type PanelJson = Json<Panel>;
export type RowJson = Json<schema.RowPanel>;
export type FrameJson = Json<
  Omit<schema.Dashboard, "panels" | "templating" | "annotations"> & {
    uid: string;
    title: string;
    templating: { list: QueryVariable[] };
    annotations?: { list?: PrometheusAnnotation[] };
  }
>;
