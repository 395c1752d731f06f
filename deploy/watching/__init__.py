"""What is watched: objectives, alerts and dashboards; deploy/prometheus and deploy/grafana are written from here."""
